-- MySQL dump 10.13  Distrib 8.0.34, for Linux (x86_64)
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;

DROP TABLE IF EXISTS `order line`;
DROP TABLE IF EXISTS `customer`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
CREATE TABLE `customer` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT COMMENT 'it''s; the key',
  `email` varchar(255) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT '',
  `state` enum('new','a,b','it''s)') NOT NULL DEFAULT 'new',
  `flags` set('x','y') DEFAULT NULL,
  `balance` decimal(10,2) unsigned zerofill DEFAULT '0.00',
  `updated` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `full` varchar(300) GENERATED ALWAYS AS (concat(`email`,', ',`state`)) VIRTUAL,
  `active` bit(1) NOT NULL DEFAULT b'1',
  `key` varchar(20) DEFAULT NULL, -- PRIMARY KEY (`key`)
  `referrer` int(10) unsigned DEFAULT NULL,
  PRIMARY KEY (`id`) USING BTREE,
  UNIQUE KEY `email` (`email`(191)),
  KEY `by_state` (`state`,`updated`) COMMENT 'two, columns',
  KEY `key` (`key`),
  FULLTEXT KEY `text` (`email`),
  CONSTRAINT `referred` FOREIGN KEY (`referrer`) REFERENCES `customer` (`id`) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT='people; who buy';

INSERT INTO `customer` (`id`, `email`) VALUES (1,'a\'b; CREATE TABLE x (y int);'),(2,"q\"\\");

CREATE TABLE product (
  sku char(12) NOT NULL PRIMARY KEY,
  `index` int,
  # a comment; it's one
  price double(8,2) NOT NULL DEFAULT 1.5,
  big mediumtext,
  `year` year(4)
) ENGINE = MyISAM
/*!50100 PARTITION BY KEY (sku)
(PARTITION p0 ENGINE = MyISAM,
 PARTITION p1 ENGINE = MyISAM) */;

CREATE TABLE `order line` (
  `customer_id` int(10) unsigned NOT NULL,
  `product_sku` char(12) NOT NULL,
  `no` smallint NOT NULL,
  PRIMARY KEY (`customer_id`,`product_sku`,`no`),
  KEY `sku` (`product_sku`)
) ENGINE=InnoDB;

CREATE TABLE `line_note` LIKE `order line`;
ALTER TABLE `line_note`
  ADD COLUMN `note` text AFTER `product_sku`,
  ADD `first` int FIRST,
  CHANGE `no` `line_no` int NOT NULL,
  ADD CONSTRAINT `note_of` FOREIGN KEY (`customer_id`) REFERENCES `customer` (`id`),
  ADD INDEX `n` (`note`(10));
RENAME TABLE product TO item;

CREATE TEMPORARY TABLE `scratch` (a int);
CREATE TABLE `summary` AS SELECT * FROM `customer`;

DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `t` BEFORE INSERT ON `customer` FOR EACH ROW BEGIN
  SET NEW.email = 'x;';
  IF NEW.id = 1 THEN SET NEW.email = 'y'; END IF;
END */;;
CREATE PROCEDURE `p`()
BEGIN
  CREATE TABLE inside (a int);
END ;;
DELIMITER ;
/*!50001 CREATE VIEW `v` AS SELECT 1 AS `a` */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
