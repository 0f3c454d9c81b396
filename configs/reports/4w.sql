-- title-en: Who does what, where, when (4W)
-- title-fr: Qui fait quoi, où, quand (4W)
-- description-en: One row for each activity and place: implementing and lead organisation, funder, group, what, where, state and time. Units, budget and its currency stand in the first row of an activity, so that they can be added up. A figure or a date that is contested is given from the least to the greatest of its values.
-- description-fr: Une ligne par activité et par lieu : organisation de mise en œuvre et organisation responsable, bailleur, groupe, quoi, où, état et dates. Unités, budget et monnaie figurent à la première ligne d’une activité et peuvent donc être additionnés. Un chiffre contesté ou une date contestée va de la plus petite à la plus grande de ses valeurs.
-- column impl_org: Implementing | Mise en œuvre | set
-- column lead_org: Lead | Responsable
-- column funder: Funder | Bailleur | set
-- column group: Group | Groupe
-- column activity_type: Type | Type | codes activity_type
-- column activity: Activity | Activité
-- column iso3: Country | Pays
-- column adm1_pcode: P-code | P-code
-- column adm1_name: Admin 1 | Admin 1
-- column status: Status | État | codes activity_status
-- column start_on: Start | Début | date
-- column end_on: End | Fin | date
-- column units_done: Units | Unités | number
-- column budget: Budget | Budget | number
-- column currency: Currency | Monnaie
-- column contact_role: Contact | Contact | codes role
-- hxl impl_org: #org+impl+name
-- hxl lead_org: #org+lead+name
-- hxl funder: #org+funder+name
-- hxl group: #org+coordination+name
-- hxl activity_type: #activity+type+code
-- hxl activity: #activity+name
-- hxl iso3: #country+code+v_iso3
-- hxl adm1_pcode: #adm1+code+v_pcode
-- hxl adm1_name: #adm1+name
-- hxl status: #status+code
-- hxl start_on: #date+start
-- hxl end_on: #date+end
-- hxl units_done: #output+num
-- hxl budget: #value+budget
-- hxl currency: #currency+code
-- hxl contact_role: #contact+role+code
--
-- :on is the date: what begins later is left out. :country keeps one country,
-- :group what is in plans of that group and of those below it, and where no
-- plan names a group what is in their countries. Who implements are the
-- partners of an activity, without any its lead organisation. Places are those
-- of the activity, else that of its group.
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
org AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code, min(name) AS name
      FROM organisations
     GROUP BY 1
),
team AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code,
           min(space) AS space,
           adm1_pcode,
           CASE :lang WHEN 'fr' THEN coalesce(name_fr, name_en, code)
                      ELSE coalesce(name_en, name_fr, code) END AS name
      FROM groups
     GROUP BY 1
),
plan AS MATERIALIZED (
    SELECT CAST(coalesce(p.code, ent_uuid(p.id)) AS TEXT) AS code,
           min(p.space) AS space,
           p.group_id, team.name, team.adm1_pcode
      FROM plans p
      LEFT JOIN team ON team.code = p.group_id
     GROUP BY 1
),
place AS MATERIALIZED (
    SELECT CAST(coalesce(pcode, code) AS TEXT) AS code, min(name) AS name
      FROM places
     GROUP BY 1
),
person AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code, min(role) AS role
      FROM contacts
     GROUP BY 1
),
done AS MATERIALIZED (
    SELECT activity_id,
           ent_range(sum(ent_low('contribution.units', space, id, units)),
                     sum(ent_high('contribution.units', space, id, units)))
               AS units
      FROM contributions
     WHERE coalesce(given_on, '') <= :on
     GROUP BY activity_id
),
part AS MATERIALIZED (
    SELECT a.space, a.id, json_group_array(coalesce(org.name, j.value)) AS names
      FROM activities a, json_each(a.partners) j
      LEFT JOIN org ON org.code = j.value
     GROUP BY a.space, a.id
),
fund AS MATERIALIZED (
    SELECT code, json_group_array(name) AS names
      FROM (SELECT CAST(coalesce(a.code, ent_uuid(a.id)) AS TEXT) AS code,
                   coalesce(org.name, j.value) AS name
              FROM activities a, json_each(a.funder_org_ids) j
              LEFT JOIN org ON org.code = j.value
            UNION
            SELECT e.activity_id, coalesce(org.name, e.funder_org_id)
              FROM expenses e
              LEFT JOIN org ON org.code = e.funder_org_id
             WHERE e.funder_org_id IS NOT NULL
               AND coalesce(e.spent_on, '') <= :on)
     GROUP BY code
)
SELECT coalesce(part.names,
                CASE WHEN a.lead_org_id IS NOT NULL
                     THEN json_array(coalesce(lead.name, a.lead_org_id)) END)
           AS impl_org,
       coalesce(lead.name, a.lead_org_id) AS lead_org,
       fund.names AS funder,
       coalesce(plan.name, plan.group_id) AS "group",
       a.activity_type,
       CASE :lang WHEN 'fr' THEN coalesce(a.title_fr, a.title_en, a.code)
                  ELSE coalesce(a.title_en, a.title_fr, a.code) END AS activity,
       a.iso3,
       coalesce(j.value, plan.adm1_pcode) AS adm1_pcode,
       place.name AS adm1_name,
       a.status,
       ent_range(ent_low('activity.start_on', a.space, a.id, a.start_on),
                 ent_high('activity.start_on', a.space, a.id, a.start_on))
           AS start_on,
       ent_range(ent_low('activity.due_on', a.space, a.id, a.due_on),
                 ent_high('activity.due_on', a.space, a.id, a.due_on))
           AS end_on,
       CASE WHEN coalesce(j.key, 0) = 0 THEN done.units END AS units_done,
       CASE WHEN coalesce(j.key, 0) = 0 THEN ent_range(
           ent_low('activity.budget', a.space, a.id, a.budget),
           ent_high('activity.budget', a.space, a.id, a.budget)) END AS budget,
       CASE WHEN coalesce(j.key, 0) = 0 THEN a.currency END AS currency,
       person.role AS contact_role
  FROM activities a
  LEFT JOIN plan ON plan.code = a.plan_id
  LEFT JOIN json_each(a.adm1_pcodes) j
  LEFT JOIN place ON place.code = coalesce(j.value, plan.adm1_pcode)
  LEFT JOIN org lead ON lead.code = a.lead_org_id
  LEFT JOIN part ON part.space = a.space AND part.id = a.id
  LEFT JOIN fund ON fund.code = coalesce(a.code, ent_uuid(a.id))
  LEFT JOIN done ON done.activity_id = coalesce(a.code, ent_uuid(a.id))
  LEFT JOIN person ON person.code = a.responsible_id
 WHERE coalesce(a.start_on, '') <= :on
   AND (:country IS NULL OR a.iso3 = :country)
   AND (:group IS NULL OR plan.group_id IN (SELECT code FROM within)
        OR plan.group_id IS NULL AND a.iso3 IN (SELECT iso3 FROM home))
 ORDER BY a.iso3, coalesce(a.code, ent_uuid(a.id)), j.key;
