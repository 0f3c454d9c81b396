-- title-en: Trainer roster
-- title-fr: Vivier de formateurs
-- description-en: Trainers and facilitators with their languages and specialities, and whether they are available on the date. A date of certification that is contested is given from the first to the last of its values.
-- description-fr: Formateurs et facilitateurs, avec leurs langues et spécialités, et leur disponibilité à la date. Une date de certification contestée va de la première à la dernière de ses valeurs.
-- column trainer_id: | | programs
-- column name: Name | Nom
-- column iso3: Country | Pays
-- column organisation: Organisation | Organisation
-- column cohort: Cohort | Cohorte
-- column languages: Languages | Langues | languages
-- column specialities: Specialities | Spécialités | set
-- column status: Status | État | codes trainer_status
-- column certified_on: Certified | Certifié | date
-- column availability: Available | Disponibilité | codes availability
--
-- :on is the date, :country keeps one country, :group the countries of that
-- group and of those below it. Outside the time for which somebody is
-- available, that person is not; a month or a year is over with its last day
-- ('~' sorts behind '-' and the digits). Languages are those to train in, else
-- all that are spoken.
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
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code,
           min(coalesce(acronym, name)) AS name
      FROM organisations
     GROUP BY 1
)
SELECT coalesce(t.code, ent_uuid(t.id)) AS trainer_id,
       coalesce(t.display_name, t.code) AS name,
       t.iso3,
       coalesce(org.name, t.org_id) AS organisation,
       t.cohort,
       coalesce(t.training_languages, t.languages) AS languages,
       t.specialities,
       t.status,
       ent_range(
           ent_low('trainer.certified_on', t.space, t.id, t.certified_on),
           ent_high('trainer.certified_on', t.space, t.id, t.certified_on))
           AS certified_on,
       CASE WHEN t.available_from > :on OR t.available_to || '~' < :on
            THEN 'unavailable' ELSE t.availability END AS availability
  FROM trainers t
  LEFT JOIN org ON org.code = t.org_id
 WHERE NOT ent_archived('trainer', t.space, t.id)
   AND (:country IS NULL OR t.iso3 = :country)
   AND (:group IS NULL OR t.iso3 IN (SELECT iso3 FROM home))
 ORDER BY t.iso3, 1;
