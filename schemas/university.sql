-- A university: who enrols in which offering of a course, and the grade they get.
-- An offering is known by course and term together, so its keys have two columns.

CREATE TABLE department (
  department_id INTEGER PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  budget DECIMAL(12, 2)
);

CREATE TABLE lecturer (
  lecturer_id INTEGER PRIMARY KEY,
  department_id INTEGER NOT NULL REFERENCES department (department_id),
  hired_on DATE NOT NULL,
  rank VARCHAR(30) NOT NULL
);

CREATE TABLE course (
  course_code VARCHAR(12) PRIMARY KEY,
  department_id INTEGER NOT NULL REFERENCES department (department_id),
  title VARCHAR(120) NOT NULL,
  credits INTEGER NOT NULL
);

CREATE TABLE offering (
  course_code VARCHAR(12) NOT NULL REFERENCES course (course_code),
  term INTEGER NOT NULL,
  lecturer_id INTEGER REFERENCES lecturer (lecturer_id),
  seats INTEGER NOT NULL,
  PRIMARY KEY (course_code, term)
);

CREATE TABLE student (
  student_id INTEGER PRIMARY KEY,
  department_id INTEGER NOT NULL REFERENCES department (department_id),
  birth_year INTEGER NOT NULL,
  enrolled_on DATE NOT NULL,
  graduated BOOLEAN
);

CREATE TABLE enrolment (
  student_id INTEGER NOT NULL REFERENCES student (student_id),
  course_code VARCHAR(12) NOT NULL,
  term INTEGER NOT NULL,
  grade DECIMAL(3, 1),
  PRIMARY KEY (student_id, course_code, term),
  FOREIGN KEY (course_code, term) REFERENCES offering (course_code, term)
);
