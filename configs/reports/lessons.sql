-- title-en: Lessons by audience and adoption
-- title-fr: Leçons par destinataire et par adoption
-- description-en: Lessons by whom they are for and by their state, and the organisations that have taken up or applied one by the date; with the total.
-- description-fr: Leçons selon leur destinataire et leur état, et organisations qui en ont repris ou appliqué une à la date ; avec le total.
-- column audience: For | Destinataire | codes lesson_audience
-- column lessons: Lessons | Leçons
-- column open: Open | Ouvertes
-- column accepted: Accepted | Acceptées
-- column in_progress: In progress | En cours
-- column applied: Applied | Appliquées
-- column set_aside: Set aside | Écartées
-- column adopting: Organisations adopting | Organisations qui l’adoptent
-- column having_applied: Organisations that applied one | Organisations l’ayant appliquée
--
-- :on is the date. A lesson without a state is open.
WITH lesson AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code,
           min(space) AS space, audience,
           coalesce(status, 'open') AS status
      FROM lessons
     GROUP BY 1
),
taken AS MATERIALIZED (
    SELECT lesson.audience, a.org_id, a.status
      FROM adoptions a
      JOIN lesson ON lesson.code = a.lesson_id
     WHERE a.status IN ('accepted', 'in_progress', 'applied')
       AND coalesce(a.dated_on, '') <= :on
),
counted AS MATERIALIZED (
    SELECT audience,
           count(*) AS lessons,
           count(*) FILTER (WHERE status = 'open') AS open,
           count(*) FILTER (WHERE status = 'accepted') AS accepted,
           count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
           count(*) FILTER (WHERE status = 'applied') AS applied,
           count(*) FILTER (WHERE status = 'set_aside') AS set_aside,
           (SELECT count(DISTINCT org_id) FROM taken
             WHERE taken.audience IS lesson.audience) AS adopting,
           (SELECT count(DISTINCT org_id) FROM taken
             WHERE taken.audience IS lesson.audience
               AND taken.status = 'applied') AS having_applied
      FROM lesson
     GROUP BY audience
)
SELECT audience, lessons, open, accepted, in_progress, applied, set_aside,
       adopting, having_applied
  FROM (SELECT 0 AS place, * FROM counted
        UNION ALL
        SELECT 1, 'TOTAL', coalesce(sum(lessons), 0), coalesce(sum(open), 0),
               coalesce(sum(accepted), 0), coalesce(sum(in_progress), 0),
               coalesce(sum(applied), 0), coalesce(sum(set_aside), 0),
               (SELECT count(DISTINCT org_id) FROM taken),
               (SELECT count(DISTINCT org_id) FROM taken
                 WHERE status = 'applied')
          FROM counted)
 ORDER BY place, audience;
