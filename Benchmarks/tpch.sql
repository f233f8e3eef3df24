-- Eight tables in the shape of TPC-H (https://www.tpc.org/tpch/), without indexes: 4.3 million rows at :scale = 1.
-- Columns have the lengths, ranges and dependencies of the specification's clause 4.2.3. Values come from the row's
-- number and from a seeded text, so that every run makes the same.
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
-- A text of letters and digits that looks random, from 10 to 40 long (clause 4.2.2.7).
CREATE FUNCTION address(n bigint, salt integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN left(translate(encode(sha256((n || ' ' || salt)::bytea), 'base64'), '+/=' || E'\n', ', '),
        10 + pick(n, salt, 31));
CREATE FUNCTION phone(n bigint, salt integer, nation integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (10 + nation) || '-' || (100 + pick(n, salt, 900)) || '-' || (100 + pick(n, salt + 1, 900)) || '-'
        || (1000 + pick(n, salt + 2, 9000));

-- What comments are cut from, as clause 4.2.2.10 has it: a text of sentences (4.2.2.14), at any place, in any length
-- between the column's two. The words that come first in a list come most often.
CREATE UNLOGGED TABLE prose (n integer PRIMARY KEY, text text NOT NULL);
CREATE FUNCTION word(list text[]) RETURNS text LANGUAGE sql VOLATILE
    RETURN list[1 + floor(array_length(list, 1) * random() ^ 2.5)];
DO $$
DECLARE
    nouns text[] := string_to_array('packages,requests,accounts,deposits,foxes,ideas,theodolites,pinto beans,instructions,'
        'dependencies,excuses,platelets,asymptotes,courts,dolphins,multipliers,sauternes,warthogs,frets,dinos,attainments,'
        'somas,patterns,forges,braids,frays,warhorses,dugouts,epitaphs,pearls,tithes,waters,orbits,gifts,sheaves,depths,'
        'sentiments,decoys,realms,pains,grouches,escapades', ',');
    verbs text[] := string_to_array('sleep,haggle,wake,are,cajole,nag,use,boost,affix,detect,integrate,maintain,nod,was,'
        'lose,sublate,solve,thrash,promise,engage,hinder,print,x-ray,breach,eat,grow,impress,mold,poach,serve,run,dazzle,'
        'snooze,doze,unwind,kindle,play,hang,believe,doubt', ',');
    adjectives text[] := string_to_array('special,pending,unusual,express,regular,final,ironic,even,bold,silent,furious,sly,'
        'careful,blithe,quick,fluffy,slow,quiet,ruthless,thin,close,dogged,daring,brave,stealthy,permanent,enticing,idle,busy',
        ',');
    adverbs text[] := string_to_array('furiously,slyly,carefully,blithely,quickly,fluffily,slowly,quietly,ruthlessly,thinly,'
        'closely,doggedly,daringly,bravely,stealthily,permanently,enticingly,idly,busily,regularly,finally,ironically,evenly,'
        'boldly,silently,sometimes,always,never', ',');
    prepositions text[] := string_to_array('about,above,according to,across,after,against,along,among,around,at,atop,before,'
        'behind,beneath,beside,between,beyond,by,despite,during,for,from,in place of,inside,instead of,into,near,of,on,over,'
        'past,through,to,toward,under,until,up,upon,without,with,within', ',');
    auxiliaries text[] := string_to_array('may,will,can,could,should,must,might,shall,would,do,ought to,need to,try to', ',');
    terminators text[] := ARRAY['.', '.', '.', '.', ';', ':', '?', '!', '--'];
    line text;
    subject text;
    verb text;
BEGIN
    PERFORM setseed(0.42);
    FOR n IN 0..19999 LOOP
        line := '';
        WHILE length(line) < 400 LOOP
            subject := CASE floor(random() * 4) WHEN 0 THEN word(nouns) WHEN 1 THEN word(adjectives) || ' ' || word(nouns)
                WHEN 2 THEN word(adjectives) || ', ' || word(adjectives) || ' ' || word(nouns)
                ELSE word(adverbs) || ' ' || word(adjectives) || ' ' || word(nouns) END;
            verb := CASE floor(random() * 4) WHEN 0 THEN word(verbs) WHEN 1 THEN word(auxiliaries) || ' ' || word(verbs)
                WHEN 2 THEN word(verbs) || ' ' || word(adverbs)
                ELSE word(auxiliaries) || ' ' || word(verbs) || ' ' || word(adverbs) END;
            IF random() < 0.6 THEN
                verb := verb || ' ' || word(prepositions) || ' the ' || word(adjectives) || ' ' || word(nouns);
            END IF;
            line := line || subject || ' ' || verb || word(terminators) || ' ';
        END LOOP;
        INSERT INTO prose VALUES (n, line);
    END LOOP;
END $$;
ANALYZE prose;
CREATE FUNCTION comment(line text, n bigint, salt integer, shortest integer, longest integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN substr(line, 1 + pick(n, salt + 500, 200), shortest + pick(n, salt + 501, longest - shortest + 1));
-- Clause 4.2.3: the price of a part, and the supplier number i of its four.
CREATE FUNCTION price(part bigint) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (90000 + part / 10 % 20001 + 100 * (part % 1000)) / 100.0;
CREATE FUNCTION supplier_of(part bigint, i integer, suppliers integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (part + i * (suppliers / 4 + (part - 1) / suppliers)) % suppliers + 1;

SELECT greatest(4, (5000 * :scale)::integer) AS suppliers, (100000 * :scale)::integer AS parts,
    (75000 * :scale)::integer AS customers, (750000 * :scale)::integer AS orders \gset
INSERT INTO region SELECT n, (ARRAY['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[n + 1],
    comment(text, n, 1, 31, 115) FROM prose WHERE n < 5;
INSERT INTO nation SELECT n, 'NATION ' || n, n % 5, comment(text, n, 2, 31, 114) FROM prose WHERE n < 25;
INSERT INTO supplier SELECT s.n, 'Supplier#' || lpad(s.n::text, 9, '0'), address(s.n, 100), pick(s.n, 3, 25),
    phone(s.n, 4, pick(s.n, 3, 25)), pick(s.n, 5, 1099999) / 100.0 - 999.99, comment(text, s.n, 6, 25, 100)
    FROM generate_series(1, :suppliers) s(n) JOIN prose ON prose.n = pick(s.n, 7, 20000) ORDER BY s.n;
INSERT INTO part SELECT p.n, concat_ws(' ', c[1 + pick(p.n, 70, 40)], c[1 + pick(p.n, 71, 40)], c[1 + pick(p.n, 72, 40)],
        c[1 + pick(p.n, 73, 40)], c[1 + pick(p.n, 74, 40)]),
    'Manufacturer#' || 1 + pick(p.n, 8, 5), 'Brand#' || 1 + pick(p.n, 8, 5) || 1 + pick(p.n, 9, 5),
    (ARRAY['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'])[1 + pick(p.n, 10, 6)] || ' '
        || (ARRAY['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'])[1 + pick(p.n, 75, 5)] || ' '
        || (ARRAY['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'])[1 + pick(p.n, 76, 5)],
    1 + pick(p.n, 11, 50), (ARRAY['SM', 'LG', 'MED', 'JUMBO', 'WRAP'])[1 + pick(p.n, 12, 5)] || ' '
        || (ARRAY['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'])[1 + pick(p.n, 77, 8)],
    price(p.n), comment(text, p.n, 14, 5, 22)
    FROM generate_series(1, :parts) p(n) JOIN prose ON prose.n = pick(p.n, 13, 20000),
        string_to_array('almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished '
            'chartreuse chiffon chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral '
            'forest frosted gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki', ' ') c
    ORDER BY p.n;
INSERT INTO partsupp SELECT p, supplier_of(p, s, :suppliers), 1 + pick(p * 4 + s, 16, 9999),
    1 + pick(p * 4 + s, 17, 99901) / 100.0, comment(text, p * 4 + s, 18, 49, 198)
    FROM generate_series(1, :parts) p, generate_series(0, 3) s, prose WHERE prose.n = pick(p * 4 + s, 15, 20000)
    ORDER BY p, s;
INSERT INTO customer SELECT c.n, 'Customer#' || lpad(c.n::text, 9, '0'), address(c.n, 101), pick(c.n, 19, 25),
    phone(c.n, 20, pick(c.n, 19, 25)), pick(c.n, 21, 1099999) / 100.0 - 999.99,
    (ARRAY['BUILDING', 'AUTOMOBILE', 'MACHINERY', 'HOUSEHOLD', 'FURNITURE'])[1 + pick(c.n, 22, 5)],
    comment(text, c.n, 23, 29, 116)
    FROM generate_series(1, :customers) c(n) JOIN prose ON prose.n = pick(c.n, 24, 20000) ORDER BY c.n;

-- Of each 32 keys of orders the first 8 are taken; an order has from 1 to 7 items, shipped in the four months behind it.
CREATE UNLOGGED TABLE items AS
    SELECT o, i, (o - 1) / 8 * 32 + (o - 1) % 8 + 1 AS key, o * 8 + i AS seed, date '1992-01-01' + pick(o, 27, 2406) AS ordered,
        1 + pick(o * 8 + i, 31, :parts) AS part, 1 + pick(o * 8 + i, 33, 50) AS quantity,
        1 + pick(o * 8 + i, 39, 121) AS shipped, pick(o * 8 + i, 36, 9) AS tax, pick(o * 8 + i, 35, 11) AS discount
    FROM generate_series(1::bigint, :orders) o, generate_series(1, 1 + pick(o, 78, 7)) i;
INSERT INTO lineitem SELECT key, part, supplier_of(part, pick(seed, 32, 4), :suppliers), i, quantity, quantity * price(part),
    discount / 100.0, tax / 100.0,
    CASE WHEN ordered + shipped + 1 + pick(seed, 41, 30) > '1995-06-17' THEN 'N' WHEN pick(seed, 37, 2) = 0 THEN 'R' ELSE 'A' END,
    CASE WHEN ordered + shipped > '1995-06-17' THEN 'O' ELSE 'F' END, ordered + shipped, ordered + 30 + pick(seed, 40, 61),
    ordered + shipped + 1 + pick(seed, 41, 30),
    (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[1 + pick(seed, 42, 4)],
    (ARRAY['AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK'])[1 + pick(seed, 43, 7)], comment(text, seed, 44, 10, 43)
    FROM items JOIN prose ON prose.n = pick(seed, 45, 20000) ORDER BY o, i;
INSERT INTO orders SELECT key, customer - (customer % 3 = 0)::integer, status, total, ordered,
    (ARRAY['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'])[1 + pick(o, 28, 5)],
    'Clerk#' || lpad((1 + pick(o, 29, greatest(1, :suppliers / 10)))::text, 9, '0'), 0, comment(text, o, 30, 19, 78)
    FROM (SELECT o, key, ordered, 2 + pick(o, 24, :customers - 1) AS customer,
            CASE WHEN max(ordered + shipped) <= '1995-06-17' THEN 'F' WHEN min(ordered + shipped) > '1995-06-17' THEN 'O'
                ELSE 'P' END AS status,
            sum(round(quantity * price(part) * (100 + tax) * (100 - discount) / 10000, 2)) AS total
        FROM items GROUP BY o, key, ordered) each
    JOIN prose ON prose.n = pick(o, 25, 20000) ORDER BY o;
DROP TABLE items, prose;
DROP FUNCTION pick(bigint, integer, integer), address(bigint, integer), phone(bigint, integer, integer), word(text[]),
    comment(text, bigint, integer, integer, integer), price(bigint), supplier_of(bigint, integer, integer);
VACUUM ANALYZE;
