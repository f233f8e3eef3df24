-- Eight tables in the shape of TPC-H (https://www.tpc.org/tpch/), without indexes: 4.3 million rows at :scale = 1.
-- Values come from the row's number, so that every run makes the same.
CREATE TABLE region (r_regionkey integer NOT NULL, r_name char(25) NOT NULL, r_comment varchar(152));
CREATE TABLE nation (n_nationkey integer NOT NULL, n_name char(25) NOT NULL, n_regionkey integer NOT NULL,
    n_comment varchar(152));
CREATE TABLE supplier (s_suppkey integer NOT NULL, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL,
    s_nationkey integer NOT NULL, s_phone char(15) NOT NULL, s_acctbal numeric(15, 2) NOT NULL,
    s_comment varchar(101) NOT NULL);
CREATE TABLE part (p_partkey integer NOT NULL, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL,
    p_brand char(10) NOT NULL, p_type varchar(25) NOT NULL, p_size integer NOT NULL, p_container char(10) NOT NULL,
    p_retailprice numeric(15, 2) NOT NULL, p_comment varchar(23) NOT NULL);
CREATE TABLE partsupp (ps_partkey integer NOT NULL, ps_suppkey integer NOT NULL, ps_availqty integer NOT NULL,
    ps_supplycost numeric(15, 2) NOT NULL, ps_comment varchar(199) NOT NULL);
CREATE TABLE customer (c_custkey integer NOT NULL, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL,
    c_nationkey integer NOT NULL, c_phone char(15) NOT NULL, c_acctbal numeric(15, 2) NOT NULL,
    c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
CREATE TABLE orders (o_orderkey bigint NOT NULL, o_custkey integer NOT NULL, o_orderstatus char(1) NOT NULL,
    o_totalprice numeric(15, 2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL,
    o_clerk char(15) NOT NULL, o_shippriority integer NOT NULL, o_comment varchar(79) NOT NULL);
CREATE TABLE lineitem (l_orderkey bigint NOT NULL, l_partkey integer NOT NULL, l_suppkey integer NOT NULL,
    l_linenumber integer NOT NULL, l_quantity numeric(15, 2) NOT NULL, l_extendedprice numeric(15, 2) NOT NULL,
    l_discount numeric(15, 2) NOT NULL, l_tax numeric(15, 2) NOT NULL, l_returnflag char(1) NOT NULL,
    l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
    l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL);

-- A number from 0 to below `limit` that looks random, from two others.
CREATE FUNCTION pick(n bigint, salt integer, "limit" integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((n * 2654435761 + salt * 40503::bigint) % 2147483647 * 48271 % 2147483647 % "limit")::integer;
CREATE FUNCTION phrase(n bigint, salt integer, count integer) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    w text[] := string_to_array('carefully quickly furiously blithely slyly final ironic regular special express pending '
        || 'even bold silent deposits requests accounts packages instructions theodolites foxes pinto beans ideas '
        || 'platelets asymptotes dependencies excuses sleep haggle nag wake are cajole boost detect integrate use after '
        || 'above along among the', ' ');
    h text := md5(n::text || salt);
    result text := '';
BEGIN
    FOR i IN 1..count LOOP
        result := result || w[1 + get_byte(decode(substr(h, 2 * i - 1, 2), 'hex'), 0) % array_length(w, 1)] || ' ';
    END LOOP;
    RETURN result;
END $$;
INSERT INTO region SELECT n, 'REGION ' || n, phrase(n, 1, 8) FROM generate_series(0, 4) n;
INSERT INTO nation SELECT n, 'NATION ' || n, n % 5, phrase(n, 2, 8) FROM generate_series(0, 24) n;
INSERT INTO supplier SELECT n, 'Supplier#' || lpad(n::text, 9, '0'), md5(n::text), pick(n, 3, 25),
    '2' || lpad(pick(n, 4, 1000000)::text, 9, '0'), pick(n, 5, 1100000) / 100.0 - 1000, left(phrase(n, 6, 8), 100)
    FROM generate_series(1, (5000 * :scale)::integer) n;
INSERT INTO part SELECT n, left(phrase(n, 7, 5), 55), 'Manufacturer#' || pick(n, 8, 5), 'Brand#' || pick(n, 9, 50),
    (ARRAY['STANDARD ANODIZED TIN', 'SMALL PLATED COPPER', 'LARGE BRUSHED STEEL', 'ECONOMY POLISHED BRASS'])[1 + pick(n, 10, 4)],
    pick(n, 11, 50), (ARRAY['SM CASE', 'LG BOX', 'MED BAG', 'JUMBO PKG'])[1 + pick(n, 12, 4)],
    900 + pick(n, 13, 110000) / 100.0, left(phrase(n, 14, 2), 22) FROM generate_series(1, (100000 * :scale)::integer) n;
INSERT INTO partsupp SELECT p, 1 + pick(p * 4 + s, 15, (5000 * :scale)::integer), pick(p * 4 + s, 16, 9999),
    pick(p * 4 + s, 17, 100000) / 100.0, left(phrase(p * 4 + s, 18, 15), 199)
    FROM generate_series(1, (100000 * :scale)::integer) p, generate_series(0, 3) s;
INSERT INTO customer SELECT n, 'Customer#' || lpad(n::text, 9, '0'), md5(n::text || 'c'), pick(n, 19, 25),
    '1' || lpad(pick(n, 20, 1000000)::text, 9, '0'), pick(n, 21, 1100000) / 100.0 - 1000,
    (ARRAY['BUILDING', 'AUTOMOBILE', 'MACHINERY', 'HOUSEHOLD', 'FURNITURE'])[1 + pick(n, 22, 5)],
    left(phrase(n, 23, 9), 116) FROM generate_series(1, (75000 * :scale)::integer) n;
INSERT INTO orders SELECT n * 4, 1 + pick(n, 24, (75000 * :scale)::integer), (ARRAY['F', 'O', 'P'])[1 + pick(n, 25, 3)],
    1000 + pick(n, 26, 40000000) / 100.0, date '1992-01-01' + pick(n, 27, 2400),
    (ARRAY['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'])[1 + pick(n, 28, 5)],
    'Clerk#' || lpad(pick(n, 29, 1000)::text, 9, '0'), 0, left(phrase(n, 30, 6), 78)
    FROM generate_series(1, (750000 * :scale)::integer) n;
INSERT INTO lineitem SELECT o * 4, 1 + pick(o * 4 + l, 31, (100000 * :scale)::integer),
    1 + pick(o * 4 + l, 32, (5000 * :scale)::integer), l, 1 + pick(o * 4 + l, 33, 50),
    900 + pick(o * 4 + l, 34, 9000000) / 100.0, pick(o * 4 + l, 35, 11) / 100.0, pick(o * 4 + l, 36, 9) / 100.0,
    (ARRAY['A', 'N', 'R'])[1 + pick(o * 4 + l, 37, 3)], (ARRAY['F', 'O'])[1 + pick(o * 4 + l, 38, 2)],
    date '1992-01-02' + pick(o * 4 + l, 39, 2500), date '1992-01-31' + pick(o * 4 + l, 40, 2500),
    date '1992-01-03' + pick(o * 4 + l, 41, 2500),
    (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[1 + pick(o * 4 + l, 42, 4)],
    (ARRAY['AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK'])[1 + pick(o * 4 + l, 43, 7)],
    left(phrase(o * 4 + l, 44, 3), 43)
    FROM generate_series(1, (750000 * :scale)::integer) o, generate_series(1, 4) l;
DROP FUNCTION phrase(bigint, integer, integer), pick(bigint, integer, integer);
VACUUM ANALYZE;
