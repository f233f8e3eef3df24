-- :rows entities of an infrastructure tracker, the same on every run.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE entities (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    organization_id INTEGER NOT NULL,
    attributes JSON,
    monthly_cost DECIMAL(12, 2),
    is_active BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL
);
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)
INSERT INTO entities
SELECT
    n,
    'O''Brien''s "server" ' || n || ' Zürich',
    CASE n % 5 WHEN 0 THEN 'server' WHEN 1 THEN 'database' WHEN 2 THEN 'network' WHEN 3 THEN 'application' ELSE 'datacenter' END,
    n * 7919 % 400 + 1,
    '{"ip": "10.' || (n / 65536 % 256) || '.' || (n / 256 % 256) || '.' || (n % 256) || '", "os": "Debian 12", "cores": '
        || (1 << (n % 7)) || ', "tags": ["prod", "zone-' || (n % 9) || '"], "monitored": true, "owner": null}',
    CAST((n * 2654435761 % 1000000) AS REAL) / 100,
    n % 10 <> 0,
    strftime('%Y-%m-%d %H:%M:%S', 1704067200 + n * 37 % 63158400, 'unixepoch') || printf('.%06d', n * 7919 % 1000000)
FROM numbers;
CREATE INDEX entities_by_organization ON entities(organization_id, type);
PRAGMA journal_mode = DELETE;
