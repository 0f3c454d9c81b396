-- title-en: Pre-course completion
-- title-fr: Suivi du cours préparatoire
-- description-en: People enrolled for the pre-course and the share who did the evaluation, completed the course and did the introduction to supervision; per cohort.
-- description-fr: Personnes inscrites au cours préparatoire et part de celles qui ont fait l'évaluation, terminé le cours et suivi l'introduction à la supervision ; par cohorte.
-- column cohort: Cohort | Cohorte
-- column enrolled: Enrolled | Inscrits
-- column evaluation_pct: Evaluation, % | Évaluation, %
-- column course_pct: Course, % | Cours, %
-- column intro_pct: Introduction to supervision, % | Introduction à la supervision, %
--
-- :country keeps one country, :group the country of that group.
SELECT cohort,
       count(*) AS enrolled,
       CAST(round(100.0 * count(*) FILTER (WHERE precourse_evaluation = 'yes')
                  / count(*)) AS INTEGER) AS evaluation_pct,
       CAST(round(100.0 * count(*) FILTER (WHERE precourse_completed = 'yes')
                  / count(*)) AS INTEGER) AS course_pct,
       CAST(round(100.0
                  * count(*) FILTER (WHERE precourse_supervision_intro = 'yes')
                  / count(*)) AS INTEGER) AS intro_pct
  FROM trainers
 WHERE cohort IS NOT NULL
   AND (:country IS NULL OR iso3 = :country)
   AND (:group IS NULL
        OR iso3 IN (SELECT iso3 FROM groups WHERE code = :group))
 GROUP BY cohort
 ORDER BY cohort;
