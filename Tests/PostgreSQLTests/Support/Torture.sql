-- Everything that a database may hold and a backup may get wrong. Needs a superuser, and extensions that come with the
-- server itself: none are created here.
CREATE SCHEMA "Ünïcödé schema";
CREATE SCHEMA other;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "happy"');
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN flag AS boolean;
CREATE DOMAIN blob AS bytea;
CREATE DOMAIN deep AS positive;
CREATE COLLATION german (provider = icu, locale = 'de-DE');

CREATE TABLE every_type (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    i2 smallint, i4 integer, i8 bigint, o oid, r4 real, r8 double precision, n numeric, n2 numeric(20, 5),
    b boolean, t text, v varchar(40), c char(10), c1 "char", nm name, by bytea, d date, tm time, tmz timetz,
    ts timestamp, tsz timestamptz, iv interval, j json, jb jsonb, jp jsonpath, x xml, u uuid, ip inet, net cidr,
    mac macaddr, mac8 macaddr8, bt bit(5), vb bit varying, mo money, tv tsvector, tq tsquery, p point, l line,
    ls lseg, bx box, pa path, po polygon, ci circle, r int4range, mr int4multirange, sp span, m mood, pr pair,
    dm positive, df flag, db blob, dd deep, ia integer[], ta text[], ba bytea[], ma mood[], pra pair[], lsn pg_lsn, tx xid8,
    rc regclass
);
INSERT INTO every_type DEFAULT VALUES;
INSERT INTO every_type (i2, i4, i8, o, r4, r8, n, n2, b, t, v, c, c1, nm, by, d, tm, tmz, ts, tsz, iv, j, jb, jp, x, u,
    ip, net, mac, mac8, bt, vb, mo, tv, tq, p, l, ls, bx, pa, po, ci, r, mr, sp, m, pr, dm, df, db, dd, ia, ta, ba, ma, pra,
    lsn, tx, rc) VALUES
    (-32768, -2147483648, -9223372036854775808, 4294967295, 1.1, 0.1, '123456789012345678901234567890.000100',
    12345.6, true, E'tab\t nl\n cr\r bs\\ q" \x01\x08\x0b\x0c\x7f é € 😀', 'v', 'c', 'x', 'name', '\x00deadbeef',
    '0044-03-15 BC', '24:00:00', '23:59:59.999999+15:59', '294276-12-31 23:59:59.999999',
    '2025-10-29 15:00:00.123456+02', '-1 year 2 months -3 days 04:05:06.789', '{"b":1,  "a":[1,2,{"x":null}], "b":2}',
    '{"b": 1.50, "a": "\u00e9 \" \\"}', '$.a[*] ? (@ > 1)', '<a>&lt;</a>', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'10101', B'1', '-1234.50',
    'a fat cat:3B', 'fat & !rat', '(1.5,-2)', '{1,2,3}', '[(0,0),(1,1)]', '((1,1),(0,0))', '[(0,0),(1,1)]',
    '((0,0),(1,1),(1,0))', '<(0,0),2>', '[1,5)', '{[1,3),[5,8)}', '[1.5,2.5]', 'it''s "happy"', '(1,"a ""b"" ,c")', 5,
    false, '\xff', 7, '[0:2]={1,NULL,3}', '{{"a b",NULL},{"c\"d","e\\f"}}', '{"\\\\x00ff"}', '{sad,"it''s \"happy\""}',
    ARRAY[ROW(1, 'x')::pair], '16/B374D848', '18446744073709551615', 'pg_catalog.pg_class'),
    (32767, 2147483647, 9223372036854775807, 0, 'NaN', '-Infinity', 'NaN', 0, false, '', '', '', '', '', '', '-infinity',
    '00:00', '00:00+00', 'infinity', '-infinity', '0', 'null', 'null', '$', '', '00000000-0000-0000-0000-000000000000',
    '0.0.0.0', '0.0.0.0/0', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00', B'00000', B'', '0', '', '', '(0,0)',
    '{0,1,0}', '[(0,0),(0,0)]', '(0,0),(0,0)', '((0,0))', '((0,0))', '<(0,0),0>', 'empty', '{}', '(,)', 'sad', '(,)', 1,
    true, '', 1, '{}', '{}', '{}', '{}', '{}', '0/0', '0', NULL),
    (0, 0, 0, 1, '-0', '-0', '-0.00', '-99999.99999', NULL, '\N', 'NULL', 'null', '\', '\.', '\x5c4e', '4713-01-01 BC',
    '12:00:00.5', '00:00:00-12', '4713-01-01 BC', '4713-01-01 00:00:00+00 BC', '178000000 years', E'{\n  "a":\t1\n}',
    '"\\ud83d"', '$', '<?xml version="1.0"?><a/>', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '::', '::/0',
    'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', B'11111', B'101', '92233720368547758.07', '''x y''', '''x y''',
    '(1e300,-1e-300)', '{1,0,0}', '[(1e10,0),(0,0)]', '(1,1),(0,0)', '((0,0),(1,1))', '((0,0),(1,1))', '<(1,1),1>',
    '(,)', '{(,)}', '(1e-5,1e20)', 'ok', '(2147483647,"")', 2147483647, NULL, '\x0a0d09', 3, '{{1,2},{3,4}}',
    '{"NULL",NULL,""}', '{NULL}', '{NULL}', '{NULL}', 'FFFFFFFF/FFFFFFFF', '1', 'pg_catalog.pg_type'),
    (1, 1, 1, 1, 3.4028235e38, 1.7976931348623157e308, 'Infinity', 1, true, '{"$string":"x"}', NULL, NULL, NULL, NULL,
    NULL, '5874897-12-31', NULL, NULL, NULL, NULL, NULL, '{"$real": "1"}', '{"$bytes": ""}', NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (1, 1, 1, 1, 1e-45, 5e-324, '-Infinity', 1, true, repeat('x', 3000000), NULL, NULL, NULL, NULL,
    decode(repeat('ab', 1500000), 'hex'), NULL, NULL, NULL, NULL, NULL, NULL, ' 1 ', '1e400', NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE every_type SET t = repeat(E'\x01\n"\\', 300000) WHERE id = 4;

-- Names.
CREATE TABLE "Ünïcödé schema"."Tab.le ""q"" 'x' \b" ("Col. ""u"" \n" integer PRIMARY KEY, "select" text, " " text);
INSERT INTO "Ünïcödé schema"."Tab.le ""q"" 'x' \b" VALUES (1, 'a', 'b'), (2, NULL, '');
CREATE TABLE other.every_type (id integer);
INSERT INTO other.every_type VALUES (42);
CREATE TABLE public."""other"".""every_type""" (id integer);
INSERT INTO public."""other"".""every_type""" VALUES (43);
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 3);
CREATE TABLE empty_table (id serial PRIMARY KEY, t text COLLATE german);
CREATE UNLOGGED TABLE unlogged_table (id integer);
INSERT INTO unlogged_table VALUES (1), (2);
CREATE TABLE only_generated (g integer GENERATED ALWAYS AS (1) STORED);

-- Circles of foreign keys, one within a table.
CREATE TABLE circle_a (id integer PRIMARY KEY, b integer NOT NULL);
CREATE TABLE circle_b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES circle_a);
INSERT INTO circle_a VALUES (1, 1), (2, 2);
INSERT INTO circle_b VALUES (1, 2), (2, 1);
ALTER TABLE circle_a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES circle_b DEFERRABLE;
CREATE TABLE tree (id integer PRIMARY KEY, parent integer REFERENCES tree ON DELETE CASCADE);
INSERT INTO tree VALUES (2, NULL);
INSERT INTO tree VALUES (1, 2), (3, 1);

-- Partitions and inheritance.
CREATE TABLE measure (city integer NOT NULL, day date NOT NULL, v numeric, g integer GENERATED ALWAYS AS (city * 2) STORED)
    PARTITION BY RANGE (day);
CREATE TABLE measure_1 PARTITION OF measure FOR VALUES FROM ('2025-01-01') TO ('2025-02-01') PARTITION BY LIST (city);
CREATE TABLE measure_1a PARTITION OF measure_1 FOR VALUES IN (1, 2);
CREATE TABLE other.measure_1b PARTITION OF measure_1 DEFAULT;
CREATE TABLE measure_rest (v numeric, day date NOT NULL, city integer NOT NULL,
    g integer GENERATED ALWAYS AS (city * 2) STORED);
ALTER TABLE measure ATTACH PARTITION measure_rest DEFAULT;
ALTER TABLE measure ADD PRIMARY KEY (day, city);
INSERT INTO measure (city, day, v) SELECT c, date '2025-01-25' + n, n FROM generate_series(1, 5) c, generate_series(1, 20) n;
CREATE TABLE refers (id integer PRIMARY KEY, day date, city integer, FOREIGN KEY (day, city) REFERENCES measure);
INSERT INTO refers VALUES (1, '2025-01-26', 1);
CREATE TABLE base (id integer, t text);
INSERT INTO base VALUES (1, 'base');
ALTER TABLE base DROP COLUMN t;
ALTER TABLE base ADD COLUMN later text DEFAULT 'later';
CREATE TABLE derived (extra integer) INHERITS (base);
INSERT INTO derived VALUES (2, 'derived', 3);

-- Sequences.
CREATE SEQUENCE unused INCREMENT -5 MAXVALUE 100 START 90;
CREATE SEQUENCE used MINVALUE -10 CYCLE;
SELECT nextval('used'), nextval('used');
SELECT setval('empty_table_id_seq', 41, false);
CREATE SEQUENCE at_end MAXVALUE 3;
SELECT setval('at_end', 3);

-- Views, functions, triggers, rules, policies, statistics.
CREATE VIEW v1 AS SELECT id, t FROM empty_table WITH LOCAL CHECK OPTION;
CREATE MATERIALIZED VIEW z_first AS SELECT count(*) AS n FROM measure;
CREATE MATERIALIZED VIEW a_second AS SELECT n + 1 AS n FROM z_first;
CREATE UNIQUE INDEX ON a_second (n);
CREATE MATERIALIZED VIEW unpopulated AS SELECT 1 AS one WITH NO DATA;
CREATE FUNCTION dollar(integer) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
    -- a semicolon; and $$ a dollar $$ and 'a quote
    RETURN $q$x;'$q$ || E'\';' || $1;
END
$body$;
CREATE FUNCTION atomic(a integer) RETURNS integer LANGUAGE sql
BEGIN ATOMIC
    SELECT 1;
    SELECT CASE WHEN a > 0 THEN a ELSE 0 END;
END;
CREATE PROCEDURE "proc;edure"() LANGUAGE sql AS 'SELECT 1; SELECT 2';
CREATE AGGREGATE my_sum (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
CREATE TABLE watched (id integer PRIMARY KEY, changes integer DEFAULT 0);
INSERT INTO watched VALUES (1), (2);
CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changes := 99; RETURN NEW; END';
CREATE TRIGGER "on;change" BEFORE INSERT OR UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION count_change();
CREATE TRIGGER always_on BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION count_change();
ALTER TABLE watched ENABLE ALWAYS TRIGGER always_on;
CREATE RULE no_delete AS ON DELETE TO watched DO INSTEAD NOTHING;
ALTER TABLE watched ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_one ON watched USING (id = 1);
CREATE STATISTICS stats_ab (dependencies) ON city, day FROM measure;
CREATE INDEX expression ON every_type ((i4 / 2)) WHERE i4 > 0;
ALTER TABLE every_type ADD CONSTRAINT no_overlap EXCLUDE USING gist (r WITH &&) WHERE (id < 0);
COMMENT ON TABLE every_type IS E'a comment; with '' and \n a line\n\\restrict not a command\nALTER TABLE x OWNER TO nobody;';
COMMENT ON COLUMN every_type.t IS 'column';
CREATE PUBLICATION pub FOR TABLE watched;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE EVENT TRIGGER watch_ddl ON ddl_command_end EXECUTE FUNCTION on_ddl();
ALTER DEFAULT PRIVILEGES IN SCHEMA other GRANT SELECT ON TABLES TO pg_monitor;
GRANT SELECT ON every_type TO pg_monitor, PUBLIC;
GRANT UPDATE (t) ON every_type TO pg_monitor;
CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER dummy;
CREATE FOREIGN TABLE far_away (id integer) SERVER elsewhere;
CREATE TEXT SEARCH CONFIGURATION my_config (COPY = simple);
-- Large objects: pieces, holes, rights.
SELECT lo_from_bytea(70001, decode(repeat('00ff10', 200000), 'hex'));
SELECT lo_from_bytea(70002, '');
SELECT lo_from_bytea(70003, '\x41'), lo_put(70003, 600000, '\x42');
COMMENT ON LARGE OBJECT 70001 IS 'it''s large';
GRANT SELECT ON LARGE OBJECT 70001 TO PUBLIC;
GRANT SELECT, UPDATE ON LARGE OBJECT 70003 TO pg_monitor WITH GRANT OPTION;
ANALYZE;
