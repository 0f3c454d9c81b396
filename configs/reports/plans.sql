-- title-en: Plan execution and cost
-- title-fr: Exécution et coût des plans
-- description-en: The activities of each plan: done, in time, overdue on the date, cancelled; budget, and what is spent of it; with a total for each currency. A figure that is contested is given from the least to the greatest of its values.
-- description-fr: Les activités de chaque plan : terminées, dans les délais, en retard à la date, annulées ; budget et part dépensée ; avec un total par monnaie. Un chiffre contesté est donné de la plus petite à la plus grande de ses valeurs.
-- column iso3: Country | Pays
-- column plan: Plan | Plan
-- column status: Status | État | codes plan_status
-- column activities: Activities | Activités
-- column done: Done | Terminées
-- column running: In time | Dans les délais | programs
-- column overdue: Overdue | En retard | number
-- column cancelled: Cancelled | Annulées | programs
-- column currency: Currency | Monnaie
-- column budget: Budget | Budget | number
-- column spent: Spent | Dépensé | number
-- column spent_pct: Spent, % | Dépensé, % | number
-- bar done of activities
-- chart plan: done running overdue cancelled
--
-- :on is the date, :country keeps one country, :group the plans of that group
-- and of those below it, and without a group those of their countries. A month
-- or a year is over with its last day: what is due in 2018-06 is overdue from
-- 2018-07-01 on ('~' sorts behind '-' and the digits). Where expenses of an
-- activity are kept, those up to the date are what is spent of it; else it is
-- the figure that the activity has. Money of one currency is never added to
-- that of another. Sums of money are rounded, and whole when they are so as
-- text. The share of contested sums goes from the least spent of the largest
-- budget to the most of the smallest.
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
           min(space) AS space, iso3,
           status, currency
      FROM plans
     WHERE (:country IS NULL OR iso3 = :country)
       AND (:group IS NULL OR group_id IN (SELECT code FROM within)
            OR group_id IS NULL AND iso3 IN (SELECT iso3 FROM home))
     GROUP BY 1
),
paid AS MATERIALIZED (
    SELECT activity_id, currency,
           sum(ent_low('expense.amount', space, id, amount))
               FILTER (WHERE coalesce(spent_on, '') <= :on) AS least,
           sum(ent_high('expense.amount', space, id, amount))
               FILTER (WHERE coalesce(spent_on, '') <= :on) AS most
      FROM expenses
     WHERE activity_id IS NOT NULL
       AND amount IS NOT NULL
     GROUP BY activity_id, currency
),
work AS MATERIALIZED (
    SELECT plan.code AS plan, plan.iso3, plan.status AS plan_status,
           coalesce(a.currency, plan.currency) AS currency,
           coalesce(a.code, ent_uuid(a.id)) AS code,
           coalesce(a.status, '') AS status,
           coalesce(ent_high('activity.due_on', a.space, a.id, a.due_on)
                    || '~' < :on, 0) AS is_late,
           coalesce(ent_low('activity.due_on', a.space, a.id, a.due_on)
                    || '~' < :on, 0) AS may_be_late,
           ent_low('activity.budget', a.space, a.id, a.budget) AS budget,
           ent_high('activity.budget', a.space, a.id, a.budget) AS budget_most,
           ent_low('activity.spent', a.space, a.id, a.spent) AS spent,
           ent_high('activity.spent', a.space, a.id, a.spent) AS spent_most
      FROM activities a
      JOIN plan ON plan.code = a.plan_id
),
line AS (
    SELECT plan, iso3, plan_status, currency,
           1 AS activities,
           status = 'done' AS done,
           status = 'cancelled' AS cancelled,
           status NOT IN ('done', 'cancelled') AND is_late AS overdue,
           status NOT IN ('done', 'cancelled') AND may_be_late AS overdue_most,
           budget, budget_most,
           CASE WHEN code NOT IN (SELECT activity_id FROM paid) THEN spent END
               AS spent,
           CASE WHEN code NOT IN (SELECT activity_id FROM paid)
                THEN spent_most END AS spent_most
      FROM work
    UNION ALL
    SELECT work.plan, work.iso3, work.plan_status,
           coalesce(paid.currency, work.currency), 0, 0, 0, 0, 0, NULL,
           NULL, paid.least, paid.most
      FROM work
      JOIN paid ON paid.activity_id = work.code
    UNION ALL
    SELECT code, iso3, status, currency, 0, 0, 0, 0, 0, NULL, NULL, NULL,
           NULL
      FROM plan
     WHERE code NOT IN (SELECT plan FROM work)
),
counted AS MATERIALIZED (
    SELECT iso3, plan, plan_status, currency,
           sum(activities) AS activities,
           sum(done) AS done,
           sum(overdue) AS overdue,
           sum(overdue_most) AS overdue_most,
           sum(cancelled) AS cancelled,
           sum(budget) AS budget,
           sum(budget_most) AS budget_most,
           sum(spent) AS spent,
           sum(spent_most) AS spent_most
      FROM line
     GROUP BY plan, currency
)
SELECT iso3, plan, plan_status AS status, activities, done,
       ent_range(activities - done - overdue_most - cancelled,
                 activities - done - overdue - cancelled) AS running,
       ent_range(overdue, overdue_most) AS overdue, cancelled, currency,
       ent_range(CAST(round(budget, 2) || '' AS NUMERIC),
                 CAST(round(budget_most, 2) || '' AS NUMERIC)) AS budget,
       ent_range(CAST(round(spent, 2) || '' AS NUMERIC),
                 CAST(round(spent_most, 2) || '' AS NUMERIC)) AS spent,
       ent_range(
           CAST(round(100.0 * spent / nullif(budget_most, 0)) AS INTEGER),
           CAST(round(100.0 * spent_most / nullif(budget, 0)) AS INTEGER))
           AS spent_pct
  FROM (SELECT 0 AS place, * FROM counted
        UNION ALL
        SELECT 1, 'TOTAL', NULL, NULL, currency, sum(activities), sum(done),
               sum(overdue), sum(overdue_most), sum(cancelled), sum(budget),
               sum(budget_most), sum(spent), sum(spent_most)
          FROM counted
         GROUP BY currency)
 ORDER BY place, iso3, plan, currency;
