-- title-en: In-country trainings held and reported
-- title-fr: Formations nationales données et rapportées
-- description-en: In-country trainings held up to the date, those whose report has arrived by then, and the codes of those whose report is missing; per country, with the total. Organisations are counted over the reported trainings.
-- description-fr: Formations nationales données jusqu'à la date, celles dont le rapport est arrivé à cette date et les codes de celles dont le rapport manque ; par pays, avec le total. Les organisations sont comptées sur les formations rapportées.
-- column iso3: Country | Pays
-- column held: Held | Données
-- column reported: Reported | Rapportées
-- column missing: Report missing | Rapport manquant
-- column participants: Participants | Participants
-- column organisations: Organisations (reported) | Organisations (rapportées)
--
-- :on is the date, :country keeps one country, :group the country of that
-- group. Partial dates compare as their beginning: 2018-06 comes before
-- 2018-06-01.
WITH held AS (
    SELECT code, iso3, participants, orgs_represented,
           reported = 'yes'
               AND (:on IS NULL OR coalesce(reported_on, '') <= :on)
               AS is_reported
      FROM trainings
     WHERE kind = 'in_country'
       AND status = 'delivered'
       AND (:on IS NULL OR coalesce(end_on, start_on, '') <= :on)
       AND (:country IS NULL OR iso3 = :country)
       AND (:group IS NULL
            OR iso3 IN (SELECT iso3 FROM groups WHERE code = :group))
),
counted AS (
    SELECT iso3,
           count(*) AS held,
           count(*) FILTER (WHERE is_reported) AS reported,
           (SELECT group_concat(code, ', ')
              FROM (SELECT code FROM held AS one
                     WHERE one.iso3 IS held.iso3 AND NOT
                           coalesce(one.is_reported, 0)
                     ORDER BY code)) AS missing,
           coalesce(sum(participants), 0) AS participants,
           coalesce(sum(orgs_represented) FILTER (WHERE is_reported), 0)
               AS organisations
      FROM held
     GROUP BY iso3
)
SELECT iso3, held, reported, missing, participants, organisations
  FROM (SELECT 0 AS place, * FROM counted
        UNION ALL
        SELECT 1, 'TOTAL', coalesce(sum(held), 0), coalesce(sum(reported), 0),
               NULL, coalesce(sum(participants), 0),
               coalesce(sum(organisations), 0)
          FROM counted)
 ORDER BY place, iso3;
