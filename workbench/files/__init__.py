"""Files of rows: what a folder or an archive holds, and how its texts are written."""
