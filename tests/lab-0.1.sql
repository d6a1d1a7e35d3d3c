-- The tables of lab 0.1 (SQLite's words; tests/older.py says PostgreSQL's).
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY
  (version_num));
CREATE TABLE dataset (id INTEGER NOT NULL, "key" VARCHAR(80) NOT NULL, options JSON NOT NULL, hash
  VARCHAR(64) NOT NULL, n INTEGER NOT NULL, created DATETIME NOT NULL, PRIMARY KEY (id), UNIQUE (hash));
CREATE INDEX ix_dataset_key ON dataset ("key");
CREATE TABLE job_log (id INTEGER NOT NULL, job_id VARCHAR(80) NOT NULL, text TEXT NOT NULL, created DATETIME
  NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_job_log_job_id ON job_log (job_id);
CREATE TABLE reply ("key" VARCHAR(64) NOT NULL, teacher VARCHAR(200) NOT NULL, prompt TEXT NOT NULL, params
  JSON NOT NULL, sample_index INTEGER NOT NULL, text TEXT NOT NULL, finish_reason VARCHAR(20) NOT NULL,
  prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost DOUBLE NOT NULL, created DATETIME
  NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE worker (id VARCHAR(120) NOT NULL, host VARCHAR(120) NOT NULL, pid INTEGER NOT NULL, device
  VARCHAR(40) NOT NULL, heartbeat DATETIME NOT NULL, PRIMARY KEY (id));
CREATE TABLE question (dataset_id INTEGER NOT NULL, idx INTEGER NOT NULL, text TEXT NOT NULL, answer TEXT
  NOT NULL, split VARCHAR(10) NOT NULL, solution TEXT, PRIMARY KEY (dataset_id, idx), FOREIGN
  KEY(dataset_id) REFERENCES dataset (id));
CREATE TABLE study (id INTEGER NOT NULL, name VARCHAR(120) NOT NULL, dataset_id INTEGER NOT NULL, rules
  VARCHAR(40) NOT NULL, config JSON NOT NULL, created DATETIME NOT NULL, PRIMARY KEY (id), FOREIGN
  KEY(dataset_id) REFERENCES dataset (id), UNIQUE (name));
CREATE TABLE job (id VARCHAR(80) NOT NULL, kind VARCHAR(20) NOT NULL, title VARCHAR(200) NOT NULL, study_id
  INTEGER, request JSON NOT NULL, attempt INTEGER NOT NULL, status VARCHAR(20) NOT NULL, stage VARCHAR(200)
  NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL, error TEXT, cancel_requested BOOLEAN NOT NULL,
  created DATETIME NOT NULL, started DATETIME, finished DATETIME, updated DATETIME NOT NULL, PRIMARY KEY
  (id), FOREIGN KEY(study_id) REFERENCES study (id));
CREATE TABLE run (id INTEGER NOT NULL, study_id INTEGER NOT NULL, kind VARCHAR(20) NOT NULL, method
  VARCHAR(60) NOT NULL, teacher VARCHAR(200) NOT NULL, student VARCHAR(200) NOT NULL, seed INTEGER NOT NULL,
  config JSON NOT NULL, versions JSON NOT NULL, parents JSON NOT NULL, hash VARCHAR(64) NOT NULL, summary
  JSON NOT NULL, training_set VARCHAR(64), job_id VARCHAR(80), status VARCHAR(20) NOT NULL, created DATETIME
  NOT NULL, finished DATETIME, PRIMARY KEY (id), FOREIGN KEY(study_id) REFERENCES study (id), UNIQUE
  (study_id, kind, hash));
CREATE INDEX ix_run_study_id ON run (study_id);
CREATE TABLE training_set (hash VARCHAR(64) NOT NULL, study_id INTEGER NOT NULL, method VARCHAR(60) NOT
  NULL, dropped JSON NOT NULL, n INTEGER NOT NULL, created DATETIME NOT NULL, PRIMARY KEY (hash), FOREIGN
  KEY(study_id) REFERENCES study (id));
CREATE TABLE completion (id INTEGER NOT NULL, run_id INTEGER NOT NULL, question_index INTEGER NOT NULL,
  sample_index INTEGER NOT NULL, prompt TEXT NOT NULL, rationale TEXT NOT NULL, finish_reason VARCHAR(20)
  NOT NULL, answer_prompt TEXT NOT NULL, answer_text TEXT NOT NULL, prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL, cost DOUBLE NOT NULL, calls INTEGER NOT NULL, cached BOOLEAN NOT NULL,
  error TEXT, correct BOOLEAN, value TEXT, span_start INTEGER, span_end INTEGER, created DATETIME NOT NULL,
  PRIMARY KEY (id), FOREIGN KEY(run_id) REFERENCES run (id), UNIQUE (run_id, question_index, sample_index));
CREATE INDEX completion_filter ON completion (run_id, correct, finish_reason);
CREATE TABLE ledger (id INTEGER NOT NULL, run_id INTEGER NOT NULL, teacher VARCHAR(200) NOT NULL, step
  VARCHAR(20) NOT NULL, question_index INTEGER NOT NULL, sample_index INTEGER NOT NULL, prompt_tokens
  INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost DOUBLE NOT NULL, cached BOOLEAN NOT NULL, error
  TEXT, created DATETIME NOT NULL, PRIMARY KEY (id), FOREIGN KEY(run_id) REFERENCES run (id));
CREATE INDEX ix_ledger_run_id ON ledger (run_id);
CREATE TABLE metric (run_id INTEGER NOT NULL, name VARCHAR(40) NOT NULL, step INTEGER NOT NULL, epoch DOUBLE
  NOT NULL, value DOUBLE NOT NULL, created DATETIME NOT NULL, PRIMARY KEY (run_id, name, step), FOREIGN
  KEY(run_id) REFERENCES run (id));
CREATE TABLE prediction (run_id INTEGER NOT NULL, question_index INTEGER NOT NULL, prompt TEXT NOT NULL,
  text TEXT NOT NULL, finish_reason VARCHAR(20) NOT NULL, tokens INTEGER NOT NULL, correct BOOLEAN NOT NULL,
  value TEXT, span_start INTEGER, span_end INTEGER, PRIMARY KEY (run_id, question_index), FOREIGN
  KEY(run_id) REFERENCES run (id));
CREATE TABLE training_row (training_set VARCHAR(64) NOT NULL, position INTEGER NOT NULL, input TEXT NOT
  NULL, label TEXT NOT NULL, question_index INTEGER NOT NULL, sample_index INTEGER NOT NULL, completion_id
  INTEGER, PRIMARY KEY (training_set, position), FOREIGN KEY(completion_id) REFERENCES completion (id),
  FOREIGN KEY(training_set) REFERENCES training_set (hash));
CREATE TABLE decision (id INTEGER NOT NULL, run_id INTEGER NOT NULL, question_index INTEGER NOT NULL,
  sample_index INTEGER NOT NULL, kind VARCHAR(12) NOT NULL, author VARCHAR(120) NOT NULL, reason TEXT NOT
  NULL, "before" TEXT, "after" TEXT, seen INTEGER, created DATETIME NOT NULL, PRIMARY KEY (id), FOREIGN
  KEY(run_id) REFERENCES run (id), UNIQUE (run_id, question_index, sample_index, seen));
CREATE INDEX decision_author ON decision (run_id, author, id);
CREATE INDEX decision_order ON decision (run_id, id);
CREATE TABLE point (run_id INTEGER NOT NULL, question_index INTEGER NOT NULL, sample_index INTEGER NOT NULL,
  cluster INTEGER NOT NULL, rank INTEGER NOT NULL, distance DOUBLE NOT NULL, x DOUBLE NOT NULL, y DOUBLE NOT
  NULL, correct BOOLEAN NOT NULL, words INTEGER NOT NULL, failures JSON NOT NULL, duplicate INTEGER, PRIMARY
  KEY (run_id, question_index), FOREIGN KEY(run_id) REFERENCES run (id));
CREATE TABLE diversity (run_id INTEGER NOT NULL, question_index INTEGER NOT NULL, n INTEGER NOT NULL, texts
  INTEGER NOT NULL, paths INTEGER NOT NULL, similarity DOUBLE, effective DOUBLE NOT NULL, PRIMARY KEY
  (run_id, question_index), FOREIGN KEY(run_id) REFERENCES run (id));
CREATE INDEX diversity_order ON diversity (run_id, effective);
CREATE TABLE checked (completion_id INTEGER NOT NULL, run_id INTEGER NOT NULL, question_index INTEGER NOT
  NULL, sample_index INTEGER NOT NULL, version VARCHAR(16) NOT NULL, flags TEXT NOT NULL, PRIMARY KEY
  (completion_id), FOREIGN KEY(completion_id) REFERENCES completion (id) ON DELETE CASCADE, FOREIGN
  KEY(run_id) REFERENCES run (id));
CREATE INDEX checked_run ON checked (run_id, version);
INSERT INTO alembic_version (version_num) VALUES ('0005');
