-- A library, as MySQL's dump writes it: members borrow copies of books; a book has
-- several authors, so a table ties the two. Keys stand inside the tables.

/*!40101 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;

CREATE TABLE `author` (
  `author_id` int unsigned NOT NULL AUTO_INCREMENT,
  `name` varchar(120) NOT NULL,
  `born` year DEFAULT NULL,
  PRIMARY KEY (`author_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `book` (
  `isbn` char(13) NOT NULL,
  `title` varchar(200) NOT NULL,
  `genre` enum('novel','poetry','science','travel') NOT NULL,
  `pages` smallint unsigned DEFAULT NULL,
  `translation_of` char(13) DEFAULT NULL COMMENT 'the book in its first language',
  PRIMARY KEY (`isbn`),
  KEY `by_genre` (`genre`),
  FULLTEXT KEY `words` (`title`),
  CONSTRAINT `book_translation` FOREIGN KEY (`translation_of`) REFERENCES `book` (`isbn`) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `book_author` (
  `isbn` char(13) NOT NULL,
  `author_id` int unsigned NOT NULL,
  `position` tinyint unsigned NOT NULL DEFAULT '1',
  PRIMARY KEY (`isbn`,`author_id`),
  KEY `author_id` (`author_id`),
  CONSTRAINT `book_author_author` FOREIGN KEY (`author_id`) REFERENCES `author` (`author_id`),
  CONSTRAINT `book_author_book` FOREIGN KEY (`isbn`) REFERENCES `book` (`isbn`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `copy` (
  `isbn` char(13) NOT NULL,
  `number` smallint unsigned NOT NULL,
  `bought` date NOT NULL,
  `price` decimal(8,2) DEFAULT NULL,
  PRIMARY KEY (`isbn`,`number`),
  CONSTRAINT `copy_book` FOREIGN KEY (`isbn`) REFERENCES `book` (`isbn`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `member` (
  `member_id` int unsigned NOT NULL AUTO_INCREMENT,
  `joined` date NOT NULL,
  `zip` varchar(10) NOT NULL,
  `newsletter` bit(1) NOT NULL DEFAULT b'0',
  PRIMARY KEY (`member_id`)
) ENGINE=InnoDB AUTO_INCREMENT=1001 DEFAULT CHARSET=utf8mb4;

CREATE TABLE `loan` (
  `loan_id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `isbn` char(13) NOT NULL,
  `number` smallint unsigned NOT NULL,
  `member_id` int unsigned NOT NULL,
  `lent` datetime NOT NULL,
  `returned` datetime DEFAULT NULL,
  `late` tinyint(1) GENERATED ALWAYS AS ((to_days(`returned`) - to_days(`lent`)) > 28) VIRTUAL,
  PRIMARY KEY (`loan_id`),
  KEY `copy` (`isbn`,`number`),
  CONSTRAINT `loan_copy` FOREIGN KEY (`isbn`, `number`) REFERENCES `copy` (`isbn`, `number`),
  CONSTRAINT `loan_member` FOREIGN KEY (`member_id`) REFERENCES `member` (`member_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='a copy taken home';

DELIMITER ;;
CREATE TRIGGER `loan_starts` BEFORE INSERT ON `loan` FOR EACH ROW
BEGIN
  IF NEW.`lent` IS NULL THEN SET NEW.`lent` = now(); END IF;
END ;;
DELIMITER ;

/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
