-- A web shop: customers order products, in lines; categories lie in categories.
-- order_line ties an order to a product and says how many: a junction, which may be a
-- node or an edge. category refers to itself, orders to two addresses of one customer.

CREATE TABLE customer (
  customer_id INTEGER PRIMARY KEY,
  email VARCHAR(120) NOT NULL UNIQUE,
  birth_date DATE,
  newsletter BOOLEAN NOT NULL,
  churned BOOLEAN NOT NULL
);

CREATE TABLE address (
  address_id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
  street VARCHAR(120) NOT NULL,
  zip VARCHAR(10) NOT NULL,
  country CHAR(2) NOT NULL
);

CREATE TABLE category (
  category_id INTEGER PRIMARY KEY,
  parent_id INTEGER REFERENCES category (category_id),
  name VARCHAR(60) NOT NULL
);

CREATE TABLE product (
  product_id INTEGER PRIMARY KEY,
  category_id INTEGER REFERENCES category (category_id),
  name VARCHAR(120) NOT NULL,
  description TEXT,
  price DECIMAL(10, 2) NOT NULL
);

CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
  billing_address_id INTEGER NOT NULL REFERENCES address (address_id),
  shipping_address_id INTEGER REFERENCES address (address_id),
  ordered_at TIMESTAMP NOT NULL,
  channel VARCHAR(20) NOT NULL
);

CREATE TABLE order_line (
  order_id INTEGER NOT NULL REFERENCES orders (order_id),
  product_id INTEGER NOT NULL REFERENCES product (product_id),
  quantity INTEGER NOT NULL,
  discount DECIMAL(4, 3) NOT NULL,
  PRIMARY KEY (order_id, product_id)
);
