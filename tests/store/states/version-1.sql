-- A state as the first version left it: one converged run, its snapshot and batch, a pinned audience, a quarantined person.
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL,
  definition TEXT NOT NULL,
  manifest TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  verdict TEXT NOT NULL DEFAULT '',
  summary TEXT NOT NULL DEFAULT 'null'
) STRICT;
CREATE INDEX runs_of_sync ON runs (uid, id);
CREATE UNIQUE INDEX one_open_run ON runs (uid) WHERE ended IS NULL;

CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES runs (id),
  change TEXT NOT NULL,
  opened INTEGER NOT NULL,
  closed INTEGER,
  state TEXT NOT NULL DEFAULT 'open',
  note TEXT NOT NULL DEFAULT 'null'
) STRICT;
CREATE INDEX open_changes ON changes (run, id) WHERE closed IS NULL;

CREATE TABLE intents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  change INTEGER NOT NULL REFERENCES changes (id),
  step TEXT NOT NULL,
  number INTEGER NOT NULL,
  opened INTEGER NOT NULL,
  closed INTEGER,
  result TEXT,
  UNIQUE (change, step)
) STRICT;

CREATE TABLE sequences (
  name TEXT PRIMARY KEY,
  last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  relation TEXT NOT NULL,
  content TEXT NOT NULL,
  dataset TEXT NOT NULL,
  generation INTEGER NOT NULL,
  batch TEXT NOT NULL,
  definition TEXT NOT NULL,
  source TEXT NOT NULL,
  people INTEGER NOT NULL,
  proven INTEGER NOT NULL,
  intent INTEGER NOT NULL UNIQUE REFERENCES intents (id)
) STRICT;
CREATE TABLE current_snapshots (
  relation TEXT PRIMARY KEY,
  snapshot INTEGER NOT NULL REFERENCES snapshots (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
  batch TEXT PRIMARY KEY,
  dataset TEXT NOT NULL,
  relation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  records INTEGER NOT NULL,
  proven INTEGER NOT NULL,
  superseded INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_of_relation ON batches (relation, generation, batch);

CREATE TABLE quarantine (
  relation TEXT NOT NULL,
  person TEXT NOT NULL,
  reason TEXT NOT NULL,
  batch TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (relation, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE remembered (
  uid TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (uid, key)
) STRICT, WITHOUT ROWID;
INSERT INTO runs VALUES (1, 'loyalty', 'd1', '{"name":"loyalty"}', 1767000001000, 1767000009000, 'converged',
  '{"applied":1,"digest":"abc","pending":0,"source":"E1"}');
INSERT INTO changes VALUES (1, 1, '{"action":"ingest","after":{},"expected_version":"","name":"people","reason":"","stage":"membership"}',
  1767000002000, 1767000008000, 'done', 'null');
INSERT INTO intents VALUES (1, 1, 'commit', 1, 1767000003000, 1767000008000, '{"batch":"B1"}');
INSERT INTO sequences VALUES ('loyalty/analytics', 7);
INSERT INTO snapshots VALUES (1, 'loyalty/analytics', 'c1', 'D1', 7, 'B1', 'r1', 'E1', 1000, 1767000008000, 1);
INSERT INTO current_snapshots VALUES ('loyalty/analytics', 1);
INSERT INTO batches VALUES ('B1', 'D1', 'loyalty/analytics', 7, 1000, 1767000008000, 0);
INSERT INTO quarantine VALUES ('loyalty/analytics', 'nobody@example.com', 'not accepted', 'B1', 1767000008000);
INSERT INTO remembered VALUES ('loyalty', 'pin:Gold', '"A1"');
PRAGMA application_id = 1095986787;
PRAGMA user_version = 1;
