--
-- A web shop, as PostgreSQL's pg_dump writes it: customers order products, in lines;
-- categories lie in categories. Keys come at the end, by ALTER TABLE.
--

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TYPE public.sales_channel AS ENUM (
    'web',
    'phone',
    'shop'
);

CREATE FUNCTION public.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  NEW.ordered_at := coalesce(NEW.ordered_at, now());
  RETURN NEW;
END;
$$;

SET default_tablespace = '';

CREATE TABLE public.address (
    address_id integer NOT NULL,
    customer_id integer NOT NULL,
    street character varying(120) NOT NULL,
    zip character varying(10) NOT NULL,
    country character(2) NOT NULL
);

CREATE TABLE public.category (
    category_id integer NOT NULL,
    parent_id integer,
    name character varying(60) NOT NULL
);

CREATE TABLE public.customer (
    customer_id integer NOT NULL,
    email character varying(120) NOT NULL,
    birth_date date,
    newsletter boolean DEFAULT false NOT NULL,
    churned boolean NOT NULL
);

COMMENT ON COLUMN public.customer.churned IS 'No order in the last twelve months';

CREATE SEQUENCE public.customer_customer_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.customer_customer_id_seq OWNED BY public.customer.customer_id;

CREATE TABLE public.order_line (
    order_id integer NOT NULL,
    product_id integer NOT NULL,
    quantity integer NOT NULL,
    discount numeric(4,3) DEFAULT 0 NOT NULL
);

COMMENT ON TABLE public.order_line IS 'Ties an order to a product and says how many';

CREATE TABLE public.orders (
    order_id integer NOT NULL,
    customer_id integer NOT NULL,
    billing_address_id integer NOT NULL,
    shipping_address_id integer,
    ordered_at timestamp without time zone NOT NULL,
    channel public.sales_channel DEFAULT 'web'::public.sales_channel NOT NULL
);

CREATE TABLE public.product (
    product_id integer NOT NULL,
    category_id integer,
    name character varying(120) NOT NULL,
    description text,
    price numeric(10,2) NOT NULL
);

ALTER TABLE ONLY public.customer ALTER COLUMN customer_id SET DEFAULT nextval('public.customer_customer_id_seq'::regclass);

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_pkey PRIMARY KEY (address_id);

ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_pkey PRIMARY KEY (category_id);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_email_key UNIQUE (email);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (customer_id);

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_pkey PRIMARY KEY (order_id, product_id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (order_id);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (product_id);

CREATE INDEX orders_ordered_at ON public.orders USING btree (ordered_at);

CREATE TRIGGER touched BEFORE INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch();

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(customer_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.category(category_id);

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(order_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_billing_address_id_fkey FOREIGN KEY (billing_address_id) REFERENCES public.address(address_id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(customer_id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_shipping_address_id_fkey FOREIGN KEY (shipping_address_id) REFERENCES public.address(address_id);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_category_id_fkey FOREIGN KEY (category_id) REFERENCES public.category(category_id);
