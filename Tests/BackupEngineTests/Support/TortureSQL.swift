/// The definitions of the torture database that need no values computed.
enum TortureSQL {
    static let words = [
        "switch", "router", "naïve", "Ünïcode", "server", "rack", "日本", "quick", "brown", "fox", "latency", "o'clock",
    ]

    static let names = [
        "select", "table", "", " ", "a b", "semi;colon", "quo\"te", "apos'trophe", "dot.ted", "new\nline", "tab\tbed",
        "back`tick", "[bracket]", "ünïcödé", "日本語", "😀", "$dollar", "$rowid", "1st", "-- comment", "/* comment", "%s",
        "\\",
        "Rowid table", "x'00'", "main.x", "using", "\"\"",
    ]

    static let generated = """
        CREATE TABLE generated(
            a INT, doubled INT GENERATED ALWAYS AS (a * 2) STORED, b TEXT, loud AS (upper(b)) VIRTUAL,
            both TEXT AS (b || '-' || a) STORED, c);
        INSERT INTO generated(a,b,c) VALUES(1,'x',NULL),(NULL,'y',2.5),(9223372036854775807,NULL,x'00'),(-3,'é','z');
        CREATE INDEX generated_loud ON generated(loud, both);
        CREATE TABLE generated_key(first INT, k TEXT PRIMARY KEY, g AS (first + 1) STORED, v) WITHOUT ROWID;
        INSERT INTO generated_key(first,k,v) VALUES(1,'one',1),(2,'two',NULL),(NULL,'',3);
        CREATE TABLE generated_strict(id INTEGER PRIMARY KEY, v ANY, kind TEXT AS (typeof(v)) STORED) STRICT;
        INSERT INTO generated_strict(v) VALUES(1),(1.0),('1'),(x'31'),(NULL);
        """

    static let keys = """
        CREATE TABLE any_key(k PRIMARY KEY NOT NULL, v) WITHOUT ROWID;
        CREATE TABLE two_keys(v, b TEXT, a INT, PRIMARY KEY(a DESC, b COLLATE NOCASE)) WITHOUT ROWID;
        INSERT INTO two_keys VALUES(1,'b',1),(2,'a',1),(3,'a',2),(NULL,'A b',0),(x'',x'00',-9223372036854775808);
        CREATE INDEX two_keys_v ON two_keys(v);
        CREATE TABLE integer_key_without(id INTEGER PRIMARY KEY, v) WITHOUT ROWID;
        INSERT INTO integer_key_without VALUES(5,'five'),(-5,'minus five'),(0,NULL);
        CREATE TABLE strict_any(id INTEGER PRIMARY KEY, v ANY) STRICT;
        CREATE TABLE strict_all(i INT, j INTEGER, r REAL, t TEXT, b BLOB, a ANY) STRICT;
        INSERT INTO strict_all VALUES(1,2,3,'4',x'05',6),(NULL,NULL,NULL,NULL,NULL,NULL),(-1,-2,9e999,'',x'','');
        CREATE TABLE strict_key(a TEXT, b INT, c ANY, PRIMARY KEY(c, a, b)) STRICT, WITHOUT ROWID;
        CREATE TABLE many_unique(a, b, c, UNIQUE(a,b), UNIQUE(c), PRIMARY KEY(b,c));
        INSERT INTO many_unique VALUES(1,1,1),(2,1,2),(NULL,NULL,NULL),(NULL,NULL,NULL);
        CREATE TABLE constraint_key(v, id INTEGER, PRIMARY KEY(id ASC));
        INSERT INTO constraint_key VALUES('a',-1),('b',7),('c',3);
        """

    static let rowidNames = """
        CREATE TABLE names_rowid(rowid TEXT, v); INSERT INTO names_rowid VALUES('x',1),('y',2);
        DELETE FROM names_rowid WHERE v=1;
        CREATE TABLE names_underscore(_rowid_ INT, v); INSERT INTO names_underscore VALUES(9,1),(8,2),(7,3);
        DELETE FROM names_underscore WHERE v=2;
        CREATE TABLE names_oid("OID", rowid, v); INSERT INTO names_oid VALUES(1,2,3),(4,5,6);
        DELETE FROM names_oid WHERE v=3;
        CREATE TABLE names_all(rowid, _rowid_, oid, v); INSERT INTO names_all VALUES(5,6,7,8),('a','b','c','d');
        CREATE TABLE names_key(rowid INTEGER PRIMARY KEY, oid, _rowid_); INSERT INTO names_key VALUES(5,6,7),(-4,3,2);
        CREATE TABLE names_tag("$rowid" TEXT, "$$rowid" INT); INSERT INTO names_tag VALUES('q',1),('r',2);
        DELETE FROM names_tag WHERE rowid=1;
        """

    static let counters = """
        CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, v);
        INSERT INTO counted(v) VALUES(1),(2),(3); INSERT INTO counted VALUES(500,'greatest'); DELETE FROM counted WHERE id=500;
        CREATE TABLE counted_empty(id INTEGER PRIMARY KEY AUTOINCREMENT);
        INSERT INTO counted_empty VALUES(77); DELETE FROM counted_empty;
        CREATE TABLE counted_never(id INTEGER PRIMARY KEY AUTOINCREMENT, v);
        CREATE TABLE "counted 'quoted'"(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO "counted 'quoted'" VALUES(-5);
        CREATE TABLE counted_full(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO counted_full VALUES(9223372036854775807);
        """

    static let objects = """
        CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INT, city TEXT COLLATE NOCASE, note);
        CREATE TABLE log(at TEXT, what TEXT);
        INSERT INTO people VALUES(1,'Ann',30,'Rome',NULL),(2,'Bo',NULL,'rome','x'),(3,'Çem',41,NULL,x'00ff'),(9,'ann',30,'Oslo',1.5);
        CREATE INDEX by_age ON people(age DESC, name);
        CREATE UNIQUE INDEX by_name ON people(name);
        CREATE INDEX by_city ON people(city COLLATE RTRIM, name COLLATE NOCASE DESC);
        CREATE INDEX adults ON people(name) WHERE age >= 18 AND note IS NULL;
        CREATE UNIQUE INDEX by_expression ON people(lower(name) || id, abs(age));
        CREATE INDEX "by json" ON people(json_extract(CASE WHEN json_valid(note) THEN note END, '$.a'));
        CREATE VIEW adults_view AS SELECT name, age FROM people WHERE age >= 18 ORDER BY name;
        CREATE VIEW columns_named(n, "total age") AS SELECT count(*), sum(age) FROM adults_view;
        CREATE VIEW with_cte AS WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c WHERE x<5) SELECT x FROM c;
        CREATE TRIGGER people_insert AFTER INSERT ON people BEGIN
            INSERT INTO log VALUES(datetime('now'), 'insert ' || new.name); END;
        CREATE TRIGGER people_update BEFORE UPDATE OF name, age ON people FOR EACH ROW WHEN old.name <> new.name BEGIN
            SELECT RAISE(ABORT, 'no; never') WHERE new.name = ''; INSERT INTO log VALUES('x', old.name); END;
        CREATE TRIGGER people_delete AFTER DELETE ON people BEGIN DELETE FROM log WHERE what = old.name; END;
        CREATE TRIGGER view_insert INSTEAD OF INSERT ON adults_view BEGIN
            INSERT INTO people(name, age) VALUES(new.name, new.age); END;
        CREATE TRIGGER view_delete INSTEAD OF DELETE ON adults_view BEGIN DELETE FROM people WHERE name = old.name; END;
        CREATE TABLE empty_table(a, b UNIQUE, c CHECK(c > 0)); CREATE INDEX empty_index ON empty_table(a);
        CREATE TABLE copied AS SELECT * FROM people;
        """

    static let fullText = """
        CREATE VIRTUAL TABLE notes USING fts5(title, body, tokenize='unicode61 remove_diacritics 2', prefix='2 3');
        CREATE TABLE articles(id INTEGER PRIMARY KEY, title TEXT, body TEXT);
        CREATE VIRTUAL TABLE articles_index USING fts5(title, body, content='articles', content_rowid='id');
        CREATE TRIGGER articles_in AFTER INSERT ON articles BEGIN
            INSERT INTO articles_index(rowid,title,body) VALUES(new.id,new.title,new.body); END;
        CREATE TRIGGER articles_out AFTER DELETE ON articles BEGIN
            INSERT INTO articles_index(articles_index,rowid,title,body) VALUES('delete',old.id,old.title,old.body); END;
        CREATE TRIGGER articles_change AFTER UPDATE ON articles BEGIN
            INSERT INTO articles_index(articles_index,rowid,title,body) VALUES('delete',old.id,old.title,old.body);
            INSERT INTO articles_index(rowid,title,body) VALUES(new.id,new.title,new.body); END;
        CREATE VIRTUAL TABLE old_notes USING fts4(subject, body, tokenize=porter);
        CREATE VIRTUAL TABLE words_of_notes USING fts5vocab('notes', 'row');
        CREATE VIRTUAL TABLE "odd name's" USING fts5(a, columnsize=0, detail=none);
        INSERT INTO "odd name's" VALUES('one two'),('three');
        CREATE VIRTUAL TABLE nothing_yet USING fts5(a);
        """

    static let contentless = """
        CREATE VIRTUAL TABLE lost5 USING fts5(a, b, content='');
        INSERT INTO lost5(rowid,a,b) VALUES(1,'alpha beta','gamma'),(5,'beta','delta'),(-7,'gamma','alpha');
        CREATE VIRTUAL TABLE lost4 USING fts4(content='', a, b);
        INSERT INTO lost4(docid,a,b) VALUES(1,'alpha beta','gamma'),(3,'beta','delta');
        CREATE TABLE held(id INTEGER PRIMARY KEY, a, b); INSERT INTO held VALUES(2,'alpha','beta'),(4,'gamma','delta');
        CREATE VIRTUAL TABLE outside4 USING fts4(content='held', a, b);
        INSERT INTO outside4(docid,a,b) SELECT id,a,b FROM held;
        """

    static let foreignKeys = """
        CREATE TABLE hens(id INTEGER PRIMARY KEY, egg INT NOT NULL REFERENCES eggs(id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE eggs(id INTEGER PRIMARY KEY, hen INT REFERENCES hens ON DELETE CASCADE ON UPDATE SET NULL);
        INSERT INTO hens VALUES(1,1),(2,2); INSERT INTO eggs VALUES(1,2),(2,1);
        CREATE TABLE tree(id INTEGER PRIMARY KEY, parent INT REFERENCES tree(id) ON DELETE SET DEFAULT);
        INSERT INTO tree VALUES(1,3),(2,1),(3,2),(4,4);
        CREATE TABLE orphans(id INTEGER PRIMARY KEY, hen INT REFERENCES hens(id), a, b, FOREIGN KEY(a,b) REFERENCES pairs(a,b));
        INSERT INTO orphans VALUES(1,99,1,1),(2,NULL,NULL,3),(3,1,5,5);
        CREATE TABLE pairs(a, b, PRIMARY KEY(a,b)) WITHOUT ROWID; INSERT INTO pairs VALUES(1,1);
        CREATE TABLE nowhere(x REFERENCES no_such_table(y)); INSERT INTO nowhere VALUES(1);
        """

    static let defaults = """
        CREATE TABLE checked(id INTEGER PRIMARY KEY, n INT CHECK(n > 0 OR n IS NULL), s TEXT DEFAULT 'it''s',
            t DEFAULT CURRENT_TIMESTAMP, u DEFAULT (1 + 2 * 3), v DEFAULT -1.5, w BLOB DEFAULT x'00ff', x DEFAULT NULL,
            y TEXT NOT NULL ON CONFLICT REPLACE DEFAULT '', z INT DEFAULT (abs(-5)), CONSTRAINT both CHECK(length(s) < 100 AND y <> 'no'));
        INSERT INTO checked(n) VALUES(1),(NULL),(3); INSERT INTO checked(s,t) VALUES(NULL,NULL);
        PRAGMA ignore_check_constraints=ON; INSERT INTO checked(n,y) VALUES(-5,'no'); PRAGMA ignore_check_constraints=OFF;
        """

    static let remains = """
        CREATE TABLE shrunk(a, b TEXT, c, d INT); INSERT INTO shrunk VALUES(7,'b',3,4),(NULL,'',x'01',-4);
        ALTER TABLE shrunk DROP COLUMN c; ALTER TABLE shrunk RENAME COLUMN b TO renamed;
        CREATE TABLE gone(a); INSERT INTO gone VALUES(zeroblob(50000)); DROP TABLE gone;
        CREATE TABLE before(a, b); CREATE INDEX before_a ON before(a); INSERT INTO before VALUES(1,2);
        ALTER TABLE before RENAME TO "after";
        CREATE TABLE emptied(a); INSERT INTO emptied VALUES(zeroblob(20000)); DELETE FROM emptied;
        """
}
