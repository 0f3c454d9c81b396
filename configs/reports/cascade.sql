-- title-en: Roll-out cascade
-- title-fr: Cascade de la diffusion
-- description-en: Of the people who attended a training of trainers: who delivered and reported, who was late, who did not deliver, who left the post; per country, with the total.
-- description-fr: Parmi les personnes présentes à une formation de formateurs : qui a donné et rapporté sa formation, qui l’a donnée en retard, qui ne l’a pas donnée, qui a quitté son poste ; par pays, avec le total.
-- column iso3: Country | Pays
-- column trained: Trained | Formés
-- column reported: Delivered and reported | Donnée et rapportée
-- column late: Delivered late | Donnée en retard
-- column not_delivered: Not delivered | Non donnée
-- column left_post: Left the post | Ont quitté leur poste
-- bar reported of trained
-- chart iso3: reported late not_delivered
--
-- :country keeps one country, :group the countries of that group and of those
-- below it. An outcome nobody has entered counts as not delivered.
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
counted AS (
    SELECT iso3,
           count(*) AS trained,
           count(*) FILTER (WHERE outcome = 'delivered_reported') AS reported,
           count(*) FILTER (WHERE outcome = 'delivered_late') AS late,
           count(*) FILTER (WHERE coalesce(outcome, '') NOT LIKE 'delivered%')
               AS not_delivered,
           count(*) FILTER (WHERE left_post = 'yes') AS left_post
      FROM trainers
     WHERE attended_tot = 'yes'
       AND (:country IS NULL OR iso3 = :country)
       AND (:group IS NULL OR iso3 IN (SELECT iso3 FROM home))
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
