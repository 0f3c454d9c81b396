-- title-en: Focal-point cover and turnover
-- title-fr: Points focaux : couverture et départs
-- description-en: Working groups that have no focal point or no back-up on the date, or from which somebody has left because of turnover.
-- description-fr: Groupes de travail sans point focal ou sans suppléant à la date, ou que quelqu’un a quittés par changement de personnel.
-- column iso3: Country | Pays
-- column group_id: | | programs
-- column name: Group | Groupe
-- column focal_points: Focal points | Points focaux
-- column backups: Back-ups | Suppléants
-- column departures: Departures | Départs
--
-- :on is the date, :country keeps one country, :group that group and those
-- below it. Somebody holds a role from its first to its last day; a month or a
-- year is over with its last day ('~' sorts behind '-' and the digits).
WITH RECURSIVE within(code) AS (
    SELECT :group
    UNION
    SELECT coalesce(g.code, ent_uuid(g.id))
      FROM groups g
      JOIN within w ON g.parent_id = w.code
),
held AS MATERIALIZED (
    SELECT group_id,
           count(DISTINCT contact_id) FILTER (
               WHERE role = 'focal_point'
                 AND coalesce(start_on, '') <= :on
                 AND (end_on IS NULL OR end_on || '~' >= :on)) AS focal_points,
           count(DISTINCT contact_id) FILTER (
               WHERE role = 'backup_focal_point'
                 AND coalesce(start_on, '') <= :on
                 AND (end_on IS NULL OR end_on || '~' >= :on)) AS backups,
           count(DISTINCT contact_id) FILTER (
               WHERE end_reason = 'turnover'
                 AND coalesce(end_on, '') <= :on) AS departures
      FROM assignments
     GROUP BY group_id
)
SELECT g.iso3,
       coalesce(g.code, ent_uuid(g.id)) AS group_id,
       CASE :lang WHEN 'fr' THEN coalesce(g.name_fr, g.name_en, g.code)
                  ELSE coalesce(g.name_en, g.name_fr, g.code) END AS name,
       coalesce(focal_points, 0) AS focal_points,
       coalesce(backups, 0) AS backups,
       coalesce(departures, 0) AS departures
  FROM groups g
  LEFT JOIN held ON held.group_id = coalesce(g.code, ent_uuid(g.id))
 WHERE g.kind = 'working_group'
   AND coalesce(g.status, '') <> 'closed'
   AND (coalesce(focal_points, 0) = 0 OR coalesce(backups, 0) = 0
        OR departures > 0)
   AND (:country IS NULL OR g.iso3 = :country)
   AND (:group IS NULL OR coalesce(g.code, ent_uuid(g.id)) IN (SELECT code FROM within))
 ORDER BY g.iso3, 2;
