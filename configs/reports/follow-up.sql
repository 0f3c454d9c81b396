-- title-en: Follow-up after training
-- title-fr: Suivi après la formation
-- description-en: Monthly calls held of those expected, individual supervision, the share of remote sessions and person-days, up to the date; per country with people trained or sessions, with the total. A figure that is contested is given from the least to the greatest of its values.
-- description-fr: Appels mensuels tenus sur ceux attendus, supervisions individuelles, part des séances à distance et jours-personnes, jusqu’à la date ; par pays ayant des personnes formées ou des séances, avec le total. Un chiffre contesté est donné de la plus petite à la plus grande de ses valeurs.
-- column iso3: Country | Pays
-- column calls_held: Calls held | Appels tenus
-- column calls_expected: Calls expected | Appels attendus
-- column supervisions: Supervisions | Supervisions
-- column sessions: Sessions | Séances
-- column remote_pct: Remote, % | À distance, %
-- column person_days: Person-days | Jours-personnes | number
-- bar calls_held of calls_expected
--
-- :on is the date, :country keeps one country, :group the sessions of that
-- group and of those below it, and without a group those of their countries. A
-- call each month for three months is expected where people were trained as
-- trainers by the date, or where calls were planned. Missed sessions count
-- among the sessions and in the remote share.
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
    SELECT iso3,
           count(*) FILTER (WHERE kind = 'monthly_call' AND status = 'held')
               AS calls_held,
           count(*) FILTER (WHERE kind = 'monthly_call') AS calls,
           count(*) FILTER (WHERE kind = 'individual_supervision'
                                  AND status = 'held') AS supervisions,
           count(*) AS sessions,
           count(*) FILTER (WHERE modality = 'remote') AS remote,
           sum(ent_low('support_session.person_days', space, id, person_days))
               AS days_least,
           sum(ent_high('support_session.person_days', space, id, person_days))
               AS days_most
      FROM support_sessions
     WHERE (:on IS NULL OR coalesce(held_on, '') <= :on)
       AND (:country IS NULL OR iso3 = :country)
       AND (:group IS NULL OR group_id IN (SELECT code FROM within)
            OR group_id IS NULL AND iso3 IN (SELECT iso3 FROM home))
     GROUP BY iso3
),
tot AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code,
           min(coalesce(end_on, start_on, '')) AS ended_on
      FROM trainings
     WHERE kind = 'tot'
     GROUP BY 1
),
attended AS MATERIALIZED (
    SELECT p.trainer_id, min(tot.ended_on) AS ended_on
      FROM participations p
      JOIN tot ON tot.code = p.training_id
     WHERE coalesce(p.role, '') NOT IN ('trainer', 'co_trainer')
     GROUP BY p.trainer_id
),
trained AS (
    SELECT DISTINCT iso3
      FROM trainers
      LEFT JOIN attended ON trainer_id = coalesce(code, ent_uuid(id))
     WHERE attended_tot = 'yes'
       AND coalesce(ended_on, '') <= :on
       AND (:country IS NULL OR iso3 = :country)
       AND (:group IS NULL OR iso3 IN (SELECT iso3 FROM home))
),
listed AS MATERIALIZED (
    SELECT p.iso3,
           coalesce(c.calls_held, 0) AS calls_held,
           CASE WHEN c.calls > 0 OR p.iso3 IN (SELECT iso3 FROM trained)
                THEN 3 ELSE 0 END AS calls_expected,
           coalesce(c.supervisions, 0) AS supervisions,
           coalesce(c.sessions, 0) AS sessions,
           coalesce(c.remote, 0) AS remote,
           c.days_least, c.days_most
      FROM (SELECT iso3 FROM counted UNION SELECT iso3 FROM trained) p
      LEFT JOIN counted c ON c.iso3 IS p.iso3
)
SELECT iso3, calls_held, calls_expected, supervisions, sessions,
       CAST(round(100.0 * remote / nullif(sessions, 0)) AS INTEGER)
           AS remote_pct,
       ent_range(days_least, days_most) AS person_days
  FROM (SELECT 0 AS place, * FROM listed
        UNION ALL
        SELECT 1, 'TOTAL', coalesce(sum(calls_held), 0),
               coalesce(sum(calls_expected), 0),
               coalesce(sum(supervisions), 0), coalesce(sum(sessions), 0),
               sum(remote), sum(days_least), sum(days_most)
          FROM listed)
 ORDER BY place, iso3;
