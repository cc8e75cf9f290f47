"""SQL scripts, dumps and DBML: what they declare and which rows they hold."""
