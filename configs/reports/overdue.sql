-- title-en: Overdue work
-- title-fr: Travaux en retard
-- description-en: Activities that should be done by the date and are neither done nor cancelled: who is responsible, since when that person has left, and who stands in. A date that is contested is given from the first to the last of its values, and the first decides.
-- description-fr: Activités qui devraient être terminées à la date et ne sont ni terminées ni annulées : qui en est responsable, depuis quand cette personne est partie et qui la supplée. Une date contestée est donnée de la première à la dernière de ses valeurs, et la première décide.
-- column iso3: Country | Pays
-- column activity_id: Activity | Activité
-- column title: Title | Titre
-- column due_on: Due | Échéance | date
-- column status: Status | État | codes activity_status
-- column responsible_id: | | programs
-- column responsible: Responsible | Responsable
-- column left_on: Left on | Départ | date
-- column backup_id: | | programs
-- column backup: Back-up | Suppléant
--
-- :on is the date, :country keeps one country, :group what is in plans of that
-- group and of those below it, and where no plan names a group what is in their
-- countries. A month or a year is over with its last day: what is due in
-- 2018-06 is late from 2018-07-01 on ('~' sorts behind '-' and the digits).
-- Somebody has left whose assignments have all ended by then.
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
plan AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code,
           min(group_id) AS group_id
      FROM plans
     GROUP BY 1
),
person AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code,
           min(display_name) AS name
      FROM contacts
     GROUP BY 1
),
gone AS MATERIALIZED (
    SELECT contact_id, max(end_on) AS left_on
      FROM assignments
     WHERE contact_id IS NOT NULL
     GROUP BY contact_id
    HAVING count(*) = count(*) FILTER (WHERE end_on || '~' < :on)
),
work AS (
    SELECT space, id, code, iso3, plan_id, title_fr, title_en, status,
           responsible_id,
           ent_low('activity.due_on', space, id, due_on) AS due_on,
           ent_high('activity.due_on', space, id, due_on) AS due_most
      FROM activities
),
standing AS MATERIALIZED (
    SELECT backup_for, min(contact_id) AS contact_id
      FROM assignments
     WHERE backup_for IS NOT NULL
       AND coalesce(start_on, '') <= :on
       AND (end_on IS NULL OR end_on || '~' >= :on)
     GROUP BY backup_for
)
SELECT a.iso3,
       coalesce(a.code, ent_uuid(a.id)) AS activity_id,
       CASE :lang WHEN 'fr' THEN coalesce(a.title_fr, a.title_en)
                  ELSE coalesce(a.title_en, a.title_fr) END AS title,
       ent_range(a.due_on, a.due_most) AS due_on,
       a.status,
       a.responsible_id,
       coalesce(r.name, a.responsible_id) AS responsible,
       gone.left_on,
       standing.contact_id AS backup_id,
       coalesce(b.name, standing.contact_id) AS backup
  FROM work a
  LEFT JOIN plan ON plan.code = a.plan_id
  LEFT JOIN person r ON r.code = a.responsible_id
  LEFT JOIN gone ON gone.contact_id = a.responsible_id
  LEFT JOIN standing ON standing.backup_for = a.responsible_id
  LEFT JOIN person b ON b.code = standing.contact_id
 WHERE coalesce(a.status, '') NOT IN ('done', 'cancelled')
   AND NOT ent_archived('activity', a.space, a.id)
   AND a.due_on || '~' < :on
   AND (:country IS NULL OR a.iso3 = :country)
   AND (:group IS NULL OR plan.group_id IN (SELECT code FROM within)
        OR plan.group_id IS NULL AND a.iso3 IN (SELECT iso3 FROM home))
 ORDER BY a.due_on, 2;
