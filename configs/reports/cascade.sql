-- title-en: Roll-out cascade
-- title-fr: Cascade de la diffusion
-- description-en: Of the people who attended a training of trainers up to the date: who delivered and reported, who was late, who did not deliver, who left the post; per country, with the total. Who has delivered and not reported yet counts among the trained only.
-- description-fr: Parmi les personnes présentes à une formation de formateurs jusqu’à la date : qui a donné et rapporté sa formation, qui l’a donnée en retard, qui ne l’a pas donnée, qui a quitté son poste ; par pays, avec le total. Qui a donné sa formation sans l’avoir encore rapportée ne compte que parmi les formés.
-- column iso3: Country | Pays
-- column trained: Trained | Formés
-- column reported: Delivered and reported | Donnée et rapportée
-- column late: Delivered late | Donnée en retard
-- column not_delivered: Not delivered | Non donnée
-- column left_post: Left the post | Ont quitté leur poste
-- bar reported of trained
-- chart iso3: reported late not_delivered
--
-- :on is the date, :country keeps one country, :group the countries of that
-- group and of those below it. Partial dates compare as their beginning, and
-- what has no date counts on every day. An outcome that was entered counts;
-- without one somebody has delivered who gave a training that was held, other
-- than one of trainers, and has reported when that training was, or when a
-- certificate or a move of the trainer says so. No record says until when a
-- training was to be given, so late is only who was entered as such. An outcome
-- that was entered has no date of its own: it counts from the day of the
-- report, else of the training, else of the certificate.
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
person AS MATERIALIZED (
    SELECT space, id, code, ent_uuid(id) AS uuid, iso3, status, outcome,
           left_post, certified_on
      FROM trainers
     WHERE attended_tot = 'yes'
       AND (:country IS NULL OR iso3 = :country)
       AND (:group IS NULL OR iso3 IN (SELECT iso3 FROM home))
),
event AS MATERIALIZED (
    SELECT code, ent_uuid(id) AS uuid, kind = 'tot' AS is_tot, trainers,
           coalesce(end_on, start_on, '') AS held_on,
           CASE WHEN reported = 'yes' THEN coalesce(reported_on, '') END
               AS told_on
      FROM trainings
     WHERE status = 'delivered'
       AND kind IS NOT NULL
),
event_named AS MATERIALIZED (
    SELECT code AS ref, * FROM event WHERE code IS NOT NULL
    UNION ALL
    SELECT uuid, * FROM event
),
taken AS MATERIALIZED (
    SELECT j.value AS person, event.uuid, is_tot, held_on, told_on
      FROM event, json_each(event.trainers) j
     WHERE NOT is_tot
    UNION ALL
    SELECT p.trainer_id, e.uuid, is_tot, held_on, told_on
      FROM participations p
      JOIN event_named e ON e.ref = p.training_id
     WHERE is_tot = (coalesce(p.role, '') NOT IN ('trainer', 'co_trainer'))
),
sent AS MATERIALIZED (
    SELECT e.uuid, min(coalesce(r.submitted_on, '')) AS told_on
      FROM training_reports r
      JOIN event_named e ON e.ref = r.training_id
     GROUP BY e.uuid
),
fact(person, what, day) AS (
    SELECT person, CASE WHEN is_tot THEN 'attended' ELSE 'given' END, held_on
      FROM taken
    UNION ALL
    SELECT person, 'told', max(held_on, told_on)
      FROM taken
     WHERE NOT is_tot
       AND told_on IS NOT NULL
    UNION ALL
    SELECT person, 'told', max(held_on, sent.told_on)
      FROM taken
      JOIN sent ON sent.uuid = taken.uuid
     WHERE NOT is_tot
    UNION ALL
    SELECT uuid, 'told', coalesce(certified_on, '')
      FROM person
     WHERE status = 'certified'
        OR certified_on IS NOT NULL
    UNION ALL
    SELECT subject,
           CASE to_state WHEN 'attended' THEN 'attended'
                         WHEN 'delivered' THEN 'given'
                         WHEN 'inactive' THEN 'left' ELSE 'told' END,
           coalesce(moved_on, '')
      FROM transitions
     WHERE workflow = 'trainer'
       AND to_state IN ('attended', 'delivered', 'reported', 'certified',
                        'trains_others', 'inactive')
),
known AS MATERIALIZED (
    SELECT person,
           min(day) FILTER (WHERE what = 'attended') AS attended_on,
           min(day) FILTER (WHERE what = 'given') AS given_on,
           min(day) FILTER (WHERE what = 'told') AS told_on,
           min(day) FILTER (WHERE what = 'left') AS left_on
      FROM fact
     GROUP BY person
),
dated AS MATERIALIZED (
    SELECT p.space, p.id, p.iso3, p.outcome, p.left_post,
           min(k.attended_on) AS attended_on, min(k.given_on) AS given_on,
           min(k.told_on) AS told_on, min(k.left_on) AS left_on
      FROM (SELECT code AS ref, * FROM person WHERE code IS NOT NULL
            UNION ALL
            SELECT uuid, * FROM person) p
      LEFT JOIN known k ON k.person = p.ref
     GROUP BY p.space, p.id
),
stood AS (
    SELECT iso3,
           CASE WHEN coalesce(outcome, 'delivered') NOT LIKE 'delivered%'
                THEN 'not_delivered'
                WHEN outcome IS NOT NULL
                     AND coalesce(told_on, given_on, '') <= :on THEN outcome
                WHEN told_on <= :on THEN 'delivered_reported'
                WHEN given_on <= :on THEN 'delivered'
                ELSE 'not_delivered' END AS outcome,
           left_post = 'yes' AND coalesce(left_on, '') <= :on AS has_left
      FROM dated
     WHERE coalesce(attended_on, '') <= :on
),
counted AS (
    SELECT iso3,
           count(*) AS trained,
           count(*) FILTER (WHERE outcome = 'delivered_reported') AS reported,
           count(*) FILTER (WHERE outcome = 'delivered_late') AS late,
           count(*) FILTER (WHERE outcome = 'not_delivered') AS not_delivered,
           count(*) FILTER (WHERE has_left) AS left_post
      FROM stood
     GROUP BY iso3
)
SELECT iso3, trained, reported, late, not_delivered, left_post
  FROM (SELECT 0 AS place, * FROM counted
        UNION ALL
        SELECT 1, 'TOTAL', coalesce(sum(trained), 0),
               coalesce(sum(reported), 0), coalesce(sum(late), 0),
               coalesce(sum(not_delivered), 0), coalesce(sum(left_post), 0)
          FROM counted)
 ORDER BY place, iso3;
