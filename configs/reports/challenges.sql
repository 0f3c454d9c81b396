-- title-en: Challenges, ranked over countries
-- title-fr: Difficultés, classées sur l’ensemble des pays
-- description-en: What the plans name as their challenges: the first of a plan gives 10 points, the second 9 and so on; in how many countries it is named, and how often among the first three. A figure that is contested is given from the least to the greatest of its values.
-- description-fr: Ce que les plans nomment comme difficultés : la première d’un plan donne 10 points, la deuxième 9 et ainsi de suite ; dans combien de pays elle est nommée, et combien de fois parmi les trois premières. Un chiffre contesté est donné de la plus petite à la plus grande de ses valeurs.
-- column challenge: Challenge | Difficulté | codes challenge
-- column countries: Countries | Pays
-- column in_top3: In the first three | Parmi les trois premières | number
-- column score: Points | Points | number
-- bar score
--
-- :on is the date, :country keeps one country, :group the plans of that group
-- and of those below it, and of plans without a group those of their countries.
-- The ballots of a plan, where there are any, are added up to one ranking,
-- which takes the place of the one that was entered.
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
           min(space) AS space, group_id,
           iso3
      FROM plans
     GROUP BY 1
),
voted AS MATERIALIZED (
    SELECT b.plan_id, vote.value AS challenge,
           rank() OVER (PARTITION BY b.plan_id
                        ORDER BY sum(10 - vote.key) DESC) AS rank
      FROM ballots b,
           json_each(json_array(rank_1, rank_2, rank_3, rank_4, rank_5, rank_6,
                                rank_7, rank_8, rank_9, rank_10)) vote
     WHERE b.plan_id IS NOT NULL
       AND vote.value IS NOT NULL
       AND coalesce(b.voted_on, '') <= :on
     GROUP BY b.plan_id, vote.value
),
given AS (
    SELECT plan_id, challenge, iso3,
           ent_low('challenge.rank', space, id, rank) AS best,
           ent_high('challenge.rank', space, id, rank) AS worst
      FROM challenges
     WHERE challenge IS NOT NULL
       AND coalesce(plan_id, '') NOT IN (SELECT plan_id FROM voted)
    UNION ALL
    SELECT plan_id, challenge, NULL, rank, rank FROM voted
),
ranked AS (
    SELECT given.challenge, given.plan_id, given.best, given.worst,
           coalesce(given.iso3, plan.iso3) AS iso3
      FROM given
      LEFT JOIN plan ON plan.code = given.plan_id
     WHERE (:country IS NULL OR coalesce(given.iso3, plan.iso3) = :country)
       AND (:group IS NULL OR plan.group_id IN (SELECT code FROM within)
            OR plan.group_id IS NULL
               AND coalesce(given.iso3, plan.iso3) IN (SELECT iso3 FROM home))
)
SELECT challenge,
       count(DISTINCT coalesce(iso3, plan_id)) AS countries,
       ent_range(count(*) FILTER (WHERE worst <= 3),
                 count(*) FILTER (WHERE best <= 3)) AS in_top3,
       ent_range(coalesce(sum(max(11 - worst, 0)), 0),
                 coalesce(sum(max(11 - best, 0)), 0)) AS score
  FROM ranked
 GROUP BY challenge
 ORDER BY coalesce(sum(max(11 - best, 0)), 0) DESC, challenge;
