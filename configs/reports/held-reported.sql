-- title-en: In-country trainings held and reported
-- title-fr: Formations nationales données et rapportées
-- description-en: In-country trainings held up to the date, those whose report has arrived by then, and the codes of those whose report is missing; per country, with the total. Organisations are counted over the reported trainings. A number that is contested is given from the least to the greatest of its values.
-- description-fr: Formations nationales données jusqu’à la date, celles dont le rapport est arrivé à cette date et les codes de celles dont le rapport manque ; par pays, avec le total. Les organisations sont comptées sur les formations rapportées. Un nombre contesté est donné de la plus petite à la plus grande de ses valeurs.
-- column iso3: Country | Pays
-- column held: Held | Données
-- column reported: Reported | Rapportées
-- column missing: Report missing | Rapport manquant
-- column participants: Participants | Participants | number
-- column organisations: Organisations (reported) | Organisations (rapportées) | number
--
-- :on is the date, :country keeps one country, :group the trainings of that
-- group and of those below it, and without a group those of their countries.
-- Partial dates compare as their beginning: 2018-06 comes before 2018-06-01.
-- Reported is what is marked as such or has a report by the date. An
-- organisation named among those attending is counted once in a country and
-- once in the total; trainings that give only a number add that number.
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
sent AS MATERIALIZED (
    SELECT training_id, min(coalesce(submitted_on, '')) AS sent_on
      FROM training_reports
     WHERE training_id IS NOT NULL
     GROUP BY training_id
),
held AS MATERIALIZED (
    SELECT CAST(coalesce(t.code, ent_uuid(t.id)) AS TEXT) AS code,
           t.iso3, t.orgs_attending,
           (coalesce(t.reported = 'yes', 0)
               AND (:on IS NULL OR coalesce(t.reported_on, '') <= :on))
               OR coalesce(sent.sent_on <= :on, 0) AS is_reported,
           ent_low('training.participants', t.space, t.id, t.participants)
               AS least,
           ent_high('training.participants', t.space, t.id, t.participants)
               AS most,
           ent_low('training.orgs_represented', t.space, t.id,
                   t.orgs_represented) AS orgs_least,
           ent_high('training.orgs_represented', t.space, t.id,
                    t.orgs_represented) AS orgs_most
      FROM trainings t
      LEFT JOIN sent ON sent.training_id = coalesce(t.code, ent_uuid(t.id))
     WHERE t.kind = 'in_country'
       AND t.status = 'delivered'
       AND (:on IS NULL OR coalesce(t.end_on, t.start_on, '') <= :on)
       AND (:country IS NULL OR t.iso3 = :country)
       AND (:group IS NULL OR t.group_id IN (SELECT code FROM within)
            OR t.group_id IS NULL AND t.iso3 IN (SELECT iso3 FROM home))
),
attending AS MATERIALIZED (
    SELECT held.iso3, j.value AS org
      FROM held, json_each(held.orgs_attending) j
     WHERE is_reported
),
missing AS MATERIALIZED (
    SELECT iso3, group_concat(code, ', ') AS codes
      FROM (SELECT iso3, code FROM held WHERE NOT is_reported ORDER BY code)
     GROUP BY iso3
),
counted AS MATERIALIZED (
    SELECT held.iso3,
           count(*) AS held,
           count(*) FILTER (WHERE is_reported) AS reported,
           coalesce(sum(least), 0) AS least,
           coalesce(sum(most), 0) AS most,
           coalesce(sum(orgs_least) FILTER (
               WHERE is_reported AND orgs_attending IS NULL), 0) AS others,
           coalesce(sum(orgs_most) FILTER (
               WHERE is_reported AND orgs_attending IS NULL), 0)
               AS others_most
      FROM held
     GROUP BY held.iso3
),
listed AS (
    SELECT 0 AS place, counted.iso3, held, reported, missing.codes AS missing,
           least, most, others, others_most,
           (SELECT count(DISTINCT org) FROM attending
             WHERE attending.iso3 IS counted.iso3) AS named
      FROM counted
      LEFT JOIN missing ON missing.iso3 IS counted.iso3
    UNION ALL
    SELECT 1, 'TOTAL', coalesce(sum(held), 0), coalesce(sum(reported), 0), NULL,
           coalesce(sum(least), 0), coalesce(sum(most), 0),
           coalesce(sum(others), 0), coalesce(sum(others_most), 0),
           (SELECT count(DISTINCT org) FROM attending)
      FROM counted
)
SELECT iso3, held, reported, missing,
       ent_range(least, most) AS participants,
       ent_range(others + named, others_most + named) AS organisations
  FROM listed
 ORDER BY place, iso3;
