-- title-en: Request pipeline
-- title-fr: File des demandes
-- description-en: Requests submitted up to the date by kind and state, the mean number of days until the terms of reference were approved and from start to delivery, with the total.
-- description-fr: Demandes soumises jusqu’à la date, par type et par état, nombre moyen de jours jusqu’à l’approbation des termes de référence et du début à la livraison, avec le total.
-- column kind: Kind | Type | codes request_kind
-- column status: Status | État | codes request_status
-- column requests: Requests | Demandes
-- column days_to_tor: Days to approved ToR | Jours jusqu’aux TdR approuvés
-- column days_delivery: Days of delivery | Jours de réalisation
--
-- :on is the date, :country keeps one country, :group the requests of that
-- group and of those below it, and without a group those of their countries. A
-- month is read as its first day, a year as its first of January.
WITH RECURSIVE within(code) AS (
    SELECT :group
    UNION
    SELECT coalesce(g.code, ent_uuid(g.id))
      FROM groups g
      JOIN within w ON g.parent_id = w.code
),
home AS MATERIALIZED (
    SELECT iso3
      FROM groups
     WHERE coalesce(code, ent_uuid(id)) IN (SELECT code FROM within)
),
counted AS MATERIALIZED (
    SELECT kind, status,
           julianday(substr(tor_approved_on || '-01-01', 1, 10))
               - julianday(substr(submitted_on || '-01-01', 1, 10)) AS to_tor,
           julianday(substr(delivered_on || '-01-01', 1, 10))
               - julianday(substr(started_on || '-01-01', 1, 10)) AS delivery
      FROM requests
     WHERE (:on IS NULL OR coalesce(submitted_on, '') <= :on)
       AND (:country IS NULL OR iso3 = :country)
       AND (:group IS NULL OR group_id IN (SELECT code FROM within)
            OR group_id IS NULL AND iso3 IN (SELECT iso3 FROM home))
)
SELECT kind, status, requests,
       CAST(round(to_tor) AS INTEGER) AS days_to_tor,
       CAST(round(delivery) AS INTEGER) AS days_delivery
  FROM (SELECT 0 AS place, kind, status, count(*) AS requests,
               avg(to_tor) AS to_tor, avg(delivery) AS delivery
          FROM counted
         GROUP BY kind, status
        UNION ALL
        SELECT 1, 'TOTAL', NULL, count(*), avg(to_tor), avg(delivery)
          FROM counted)
 ORDER BY place, kind, status;
