-- What needs somebody's attention on a day, found from the records and never
-- stored. `entente flags` prints it; `list`, `show` and the agenda use it.
-- flag overdue: overdue | en retard
-- flag report_due: report due | rapport attendu
-- flag stalled: stalled | au point mort
-- flag vacant: vacant | vacant
-- flag lapsed: consent lapsed | consentement échu
-- flag consent_withdrawn: consent withdrawn | consentement retiré
-- flag certificate_revoked: certificate revoked | certificat retiré
--
-- :on is the day (YYYY-MM-DD), :kind a kind whose flags alone are wanted, or
-- NULL; other kinds may then be missing. A day known to the month or year only
-- has passed when the month or year has.
--   overdue     an activity that is neither done nor cancelled, a milestone
--               that is pending, a session that is planned, after its day
--   report_due  30 days after the end of a training that was delivered and of
--               which there is no report
--   stalled     a plan in progress in which nothing has changed for 60 days:
--               neither in it nor in its activities and milestones
--   vacant      an assignment that ended without being handed over, and nobody
--               else holds the role in the group
--   lapsed      a contact that consented, has not withdrawn it, and was to be
--               reviewed by a day that has passed
--   consent_withdrawn    a contact whose consent is still in force by its state,
--               while a record of kind consent says that it was withdrawn
--   certificate_revoked  a trainer who is certified, while a record of kind
--               certificate says that it was revoked
-- What was withdrawn or revoked is what no later record grants or issues again.
-- Later is the later day, on one day or without a day the record made later. A
-- withdrawal that names what it is for leaves the consent to everything else.
WITH said AS MATERIALIZED (
    SELECT 'contact' AS kind, contact_id AS ref, space, id,
           action = 'granted' AS is_given, dated_on, scope
      FROM consents
     WHERE contact_id IS NOT NULL
       AND action IN ('granted', 'withdrawn')
       AND coalesce(dated_on, '') <= :on
       AND coalesce(:kind, 'contact') = 'contact'
    UNION ALL
    SELECT 'trainer', trainer_id, space, id, action = 'issued', dated_on, NULL
      FROM certificates
     WHERE trainer_id IS NOT NULL
       AND action IN ('issued', 'revoked')
       AND coalesce(dated_on, '') <= :on
       AND coalesce(:kind, 'trainer') = 'trainer'
),
named AS MATERIALIZED (
    SELECT 'contact' AS kind, code AS ref, space, id FROM contacts
     WHERE code IN (SELECT ref FROM said WHERE kind = 'contact')
    UNION ALL
    SELECT 'contact', ent_uuid(id), space, id FROM contacts
     WHERE ent_uuid(id) IN (SELECT ref FROM said WHERE kind = 'contact')
    UNION ALL
    SELECT 'trainer', code, space, id FROM trainers
     WHERE code IN (SELECT ref FROM said WHERE kind = 'trainer')
    UNION ALL
    SELECT 'trainer', ent_uuid(id), space, id FROM trainers
     WHERE ent_uuid(id) IN (SELECT ref FROM said WHERE kind = 'trainer')
),
about AS MATERIALIZED (
    SELECT n.kind, n.space, n.id AS subject, s.id, s.is_given, s.dated_on,
           s.scope
      FROM said s
      JOIN named n ON n.kind = s.kind AND n.ref = s.ref
     WHERE n.space = s.space
        OR s.kind || '|' || s.space || '|' || s.ref NOT IN (
               SELECT kind || '|' || space || '|' || ref FROM named)
),
standing AS MATERIALIZED (
    SELECT DISTINCT g.kind, g.space, g.subject
      FROM about g
      LEFT JOIN about w
        ON w.kind = g.kind AND w.space = g.space AND w.subject = g.subject
       AND NOT w.is_given
       AND CASE WHEN w.dated_on <> g.dated_on THEN w.dated_on > g.dated_on
                ELSE w.id > g.id END
       AND (w.scope IS NULL
            OR NOT EXISTS (
                SELECT 1 FROM json_each(g.scope)
                 WHERE value NOT IN (SELECT value FROM json_each(w.scope))))
     WHERE g.is_given
       AND w.id IS NULL
),
taken_back AS MATERIALIZED (
    SELECT w.kind, w.space, w.subject, max(w.dated_on) AS since
      FROM about w
      LEFT JOIN standing g
        ON g.kind = w.kind AND g.space = w.space AND g.subject = w.subject
     WHERE NOT w.is_given
       AND g.subject IS NULL
     GROUP BY w.kind, w.space, w.subject
),
followed AS MATERIALIZED (
    SELECT j.value AS name
      FROM transitions t, json_each(t.follows) j
     WHERE t.workflow = 'consent'
       AND coalesce(:kind, 'contact') = 'contact'
),
moved AS MATERIALIZED (
    SELECT space || '|' || subject AS subject, to_state
      FROM transitions
     WHERE workflow = 'consent'
       AND subject IS NOT NULL
       AND coalesce(:kind, 'contact') = 'contact'
       AND coalesce(code, '') NOT IN (SELECT name FROM followed)
       AND ent_uuid(id) NOT IN (SELECT name FROM followed)
)
SELECT 'overdue' AS flag, 'activity' AS kind, a.space, ent_uuid(a.id) AS id,
       a.code, a.iso3, a.due_on AS since
  FROM activities a
 WHERE coalesce(a.status, 'planned') NOT IN ('done', 'cancelled')
   AND a.due_on < substr(:on, 1, length(a.due_on))
UNION ALL
SELECT 'overdue', 'milestone', m.space, ent_uuid(m.id), m.code,
       (SELECT p.iso3 FROM plans p
         WHERE p.space = m.space AND p.code = m.plan_id LIMIT 1), m.due_on
  FROM milestones m
 WHERE coalesce(m.status, 'pending') = 'pending'
   AND m.due_on < substr(:on, 1, length(m.due_on))
UNION ALL
SELECT 'overdue', 'support_session', s.space, ent_uuid(s.id), s.code, s.iso3,
       s.held_on
  FROM support_sessions s
 WHERE s.status = 'planned'
   AND s.held_on < substr(:on, 1, length(s.held_on))
UNION ALL
SELECT 'report_due', 'training', t.space, ent_uuid(t.id), t.code, t.iso3, t.due
  FROM (SELECT space, id, code, iso3, status, reported,
               CASE length(coalesce(end_on, start_on))
               WHEN 10 THEN date(coalesce(end_on, start_on), '+30 days')
               WHEN 7 THEN date(coalesce(end_on, start_on) || '-01',
                                '+1 month', '+29 days')
               WHEN 4 THEN date(coalesce(end_on, start_on) || '-12-31',
                                '+30 days')
               END AS due
          FROM trainings
         WHERE kind IN ('pilot', 'tot', 'in_country', 'refresher',
                        'contextualisation', 'dissemination')) t
 WHERE t.status = 'delivered'
   AND coalesce(t.reported, 'no') <> 'yes'
   AND t.due < :on
   AND t.space || '|' || coalesce(t.code, '') NOT IN (
           SELECT space || '|' || coalesce(training_id, '-')
             FROM training_reports)
   AND t.space || '|' || ent_uuid(t.id) NOT IN (
           SELECT space || '|' || coalesce(training_id, '-')
             FROM training_reports)
UNION ALL
SELECT 'stalled', 'plan', p.space, ent_uuid(p.id), p.code, p.iso3,
       date(c.last / 1000, 'unixepoch')
  FROM plans p
  JOIN (SELECT w.space, w.plan, max(l.at) AS last
          FROM (SELECT space, code AS plan, ent_writes('plan', meta) AS n
                  FROM plans
                 WHERE status = 'in_progress'
                   AND coalesce(:kind, 'plan') = 'plan'
                 UNION ALL
                SELECT space, plan_id, ent_writes('activity', meta)
                  FROM activities
                 WHERE coalesce(:kind, 'plan') = 'plan'
                   AND (space, plan_id) IN (SELECT space, code FROM plans
                                             WHERE status = 'in_progress')
                 UNION ALL
                SELECT space, plan_id, ent_writes('milestone', meta)
                  FROM milestones
                 WHERE coalesce(:kind, 'plan') = 'plan'
                   AND (space, plan_id) IN (SELECT space, code FROM plans
                                             WHERE status = 'in_progress')) w,
               json_each(w.n) j
          JOIN log l ON l.n = j.value
         GROUP BY w.space, w.plan) c ON c.space = p.space AND c.plan = p.code
 WHERE p.status = 'in_progress'
   AND date(c.last / 1000, 'unixepoch', '+60 days') < :on
UNION ALL
SELECT 'vacant', 'assignment', e.space, ent_uuid(e.id), e.code,
       (SELECT g.iso3 FROM groups g
         WHERE g.space = e.space AND g.code = e.group_id LIMIT 1), e.end_on
  FROM assignments e
 WHERE e.end_on < substr(:on, 1, length(e.end_on))
   AND e.space || '|' || coalesce(e.group_id, '') || '|'
       || coalesce(e.role, '') NOT IN (
           SELECT space || '|' || coalesce(group_id, '') || '|'
                  || coalesce(role, '')
             FROM assignments
            WHERE (end_on IS NULL OR end_on >= substr(:on, 1, length(end_on)))
              AND coalesce(start_on, '') <= :on)
   AND e.space || '|' || coalesce(e.code, '') NOT IN (
           SELECT space || '|' || coalesce(subject, '-') FROM transitions
            WHERE workflow = 'assignment' AND to_state = 'handed_over')
   AND e.space || '|' || ent_uuid(e.id) NOT IN (
           SELECT space || '|' || coalesce(subject, '-') FROM transitions
            WHERE workflow = 'assignment' AND to_state = 'handed_over')
UNION ALL
SELECT 'lapsed', 'contact', c.space, ent_uuid(c.id), c.code, c.iso3,
       c.review_by
  FROM contacts c
 WHERE c.consent_on IS NOT NULL
   AND c.review_by < substr(:on, 1, length(c.review_by))
   AND c.space || '|' || hex(c.id) NOT IN (
           SELECT space || '|' || hex(subject) FROM taken_back)
   AND c.space || '|' || coalesce(c.code, '') NOT IN (
           SELECT subject FROM moved
            WHERE to_state IN ('withdrawn', 'erased'))
   AND c.space || '|' || ent_uuid(c.id) NOT IN (
           SELECT subject FROM moved
            WHERE to_state IN ('withdrawn', 'erased'))
UNION ALL
SELECT 'consent_withdrawn', 'contact', c.space, ent_uuid(c.id), c.code, c.iso3,
       b.since
  FROM taken_back b
  JOIN contacts c ON c.space = b.space AND c.id = b.subject
 WHERE b.kind = 'contact'
   AND (c.space || '|' || coalesce(c.code, '') IN (
            SELECT subject FROM moved WHERE to_state = 'granted')
        OR c.space || '|' || ent_uuid(c.id) IN (
            SELECT subject FROM moved WHERE to_state = 'granted')
        OR c.consent_on IS NOT NULL
           AND c.space || '|' || coalesce(c.code, '') NOT IN (
               SELECT subject FROM moved)
           AND c.space || '|' || ent_uuid(c.id) NOT IN (
               SELECT subject FROM moved))
UNION ALL
SELECT 'certificate_revoked', 'trainer', t.space, ent_uuid(t.id), t.code,
       t.iso3, b.since
  FROM taken_back b
  JOIN trainers t ON t.space = b.space AND t.id = b.subject
 WHERE b.kind = 'trainer'
   AND t.status = 'certified'
