-- title-en: Pre-course completion
-- title-fr: Suivi du cours préparatoire
-- description-en: People enrolled for the pre-course and the share who did the evaluation, completed the course and did the introduction to supervision; per cohort. Cohorts of which fewer than five people are counted are not shown.
-- description-fr: Personnes inscrites au cours préparatoire et part de celles qui ont fait l’évaluation, terminé le cours et suivi l’introduction à la supervision ; par cohorte. Les cohortes dont moins de cinq personnes sont comptées ne sont pas montrées.
-- column cohort: Cohort | Cohorte
-- column enrolled: Enrolled | Inscrits
-- column evaluation_pct: Evaluation, % | Évaluation, %
-- column course_pct: Course, % | Cours, %
-- column intro_pct: Introduction to supervision, % | Introduction à la supervision, %
--
-- :country keeps one country, :group the countries of that group and of those
-- below it. :few is the number of people from which a cell is shown. What
-- somebody did is said by a field of its own or by the parts done, to which
-- each device only adds; the course is completed with both of its parts. None
-- of it has a date.
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
person AS (
    SELECT cohort,
           precourse_evaluation = 'yes'
               OR 'evaluation' IN (SELECT value FROM json_each(done))
               AS did_evaluation,
           precourse_completed = 'yes'
               OR 'part1' IN (SELECT value FROM json_each(done))
                  AND 'part2' IN (SELECT value FROM json_each(done))
               AS did_course,
           precourse_supervision_intro = 'yes' AS did_intro
      FROM (SELECT *, coalesce(precourse_modules_done, '[]') AS done
              FROM trainers)
     WHERE cohort IS NOT NULL
       AND (:country IS NULL OR iso3 = :country)
       AND (:group IS NULL OR iso3 IN (SELECT iso3 FROM home))
),
counted AS (
    SELECT cohort,
           count(*) AS people,
           100.0 * count(*) FILTER (WHERE did_evaluation) / count(*)
               AS evaluation,
           100.0 * count(*) FILTER (WHERE did_course) / count(*) AS course,
           100.0 * count(*) FILTER (WHERE did_intro) / count(*) AS intro
      FROM person
     GROUP BY cohort
)
SELECT cohort,
       CASE WHEN people >= :few THEN people ELSE '<' || :few END AS enrolled,
       CASE WHEN people >= :few THEN CAST(round(evaluation) AS INTEGER) END
           AS evaluation_pct,
       CASE WHEN people >= :few THEN CAST(round(course) AS INTEGER) END
           AS course_pct,
       CASE WHEN people >= :few THEN CAST(round(intro) AS INTEGER) END
           AS intro_pct
  FROM counted
 ORDER BY cohort;
