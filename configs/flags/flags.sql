-- What needs somebody's attention on a day, found from the records and never
-- stored. `entente flags` prints it; `list`, `show` and the agenda use it.
-- flag overdue: overdue | en retard
-- flag report_due: report due | rapport attendu
-- flag stalled: stalled | au point mort
-- flag vacant: vacant | vacant
-- flag lapsed: consent lapsed | consentement échu
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
--   lapsed      a contact that consented and was to be reviewed by a day that
--               has passed
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
