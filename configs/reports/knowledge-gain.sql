-- title-en: Knowledge gain
-- title-fr: Progression des connaissances
-- description-en: Mean results of the tests before and after the trainings held up to the date, in percent, and the gain in points; per country, with the total. Cells of fewer than five people are not shown; the total leaves them out when it would tell what they hold. A figure that is contested is given from the least to the greatest of its values.
-- description-fr: Résultats moyens des tests avant et après les formations données jusqu’à la date, en pour cent, et la progression en points ; par pays, avec le total. Les cellules de moins de cinq personnes ne sont pas montrées ; le total les laisse de côté quand il les révélerait. Un chiffre contesté est donné de la plus petite à la plus grande de ses valeurs.
-- column iso3: Country | Pays
-- column people: People | Personnes | number
-- column pre_pct: Before, % | Avant, % | number
-- column post_pct: After, % | Après, % | number
-- column gain: Gain, points | Progression, points | number
--
-- :on is the date, :country keeps one country, :group the countries of that
-- group and of those below it. :few is the number of people from which a cell
-- is shown. People, not tests, are counted: somebody tested twice is one.
-- Hidden cells enter the total only when there are :few people in all of them
-- together, so that what the total has beyond the cells shown is no smaller
-- than a cell that is shown.
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
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code, min(iso3) AS iso3
      FROM trainers
     GROUP BY 1
),
event AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code,
           min(coalesce(end_on, start_on)) AS ended_on
      FROM trainings
     GROUP BY 1
),
counted AS MATERIALIZED (
    SELECT person.iso3,
           count(DISTINCT p.trainer_id) AS people,
           count(*) AS tests,
           sum(ent_low('participation.pre_test_pct', p.space, p.id,
                       p.pre_test_pct)) AS pre,
           sum(ent_high('participation.pre_test_pct', p.space, p.id,
                        p.pre_test_pct)) AS pre_most,
           sum(ent_low('participation.post_test_pct', p.space, p.id,
                       p.post_test_pct)) AS post,
           sum(ent_high('participation.post_test_pct', p.space, p.id,
                        p.post_test_pct)) AS post_most
      FROM participations p
      LEFT JOIN person ON person.code = p.trainer_id
      LEFT JOIN event ON event.code = p.training_id
     WHERE p.pre_test_pct IS NOT NULL
       AND p.post_test_pct IS NOT NULL
       AND (:on IS NULL OR coalesce(event.ended_on, '') <= :on)
       AND (:country IS NULL OR person.iso3 = :country)
       AND (:group IS NULL OR person.iso3 IN (SELECT iso3 FROM home))
     GROUP BY person.iso3
),
totalled AS (
    SELECT sum(people) AS people, sum(tests) AS tests, sum(pre) AS pre,
           sum(pre_most) AS pre_most, sum(post) AS post,
           sum(post_most) AS post_most
      FROM counted
     WHERE people >= :few
        OR (SELECT sum(people) FROM counted WHERE people < :few) >= :few
)
SELECT iso3,
       CASE WHEN people >= :few THEN people ELSE '<' || :few END AS people,
       CASE WHEN people >= :few
            THEN ent_range(round(1.0 * pre / tests, 1),
                           round(1.0 * pre_most / tests, 1)) END AS pre_pct,
       CASE WHEN people >= :few
            THEN ent_range(round(1.0 * post / tests, 1),
                           round(1.0 * post_most / tests, 1)) END AS post_pct,
       CASE WHEN people >= :few
            THEN ent_range(round(1.0 * (post - pre_most) / tests, 1),
                           round(1.0 * (post_most - pre) / tests, 1)) END
           AS gain
  FROM (SELECT 0 AS place, people >= :few AS shown,
               1.0 * (post_most - pre) / tests AS mean, *
          FROM counted
        UNION ALL
        SELECT 1, 1, 0, 'TOTAL', * FROM totalled WHERE people > 0)
 ORDER BY place, shown DESC, CASE WHEN shown THEN mean END DESC, iso3;
