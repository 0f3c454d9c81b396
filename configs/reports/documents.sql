-- title-en: Documents and their translations
-- title-fr: Documents et traductions
-- description-en: Each document published by the date with the state of its French and English versions and of those in other languages.
-- description-fr: Chaque document publié à la date avec l’état de ses versions française et anglaise et de celles en d’autres langues.
-- column document_id: Document | Document
-- column title: Title | Titre
-- column kind: Kind | Type | codes document_kind
-- column iso3: Country | Pays
-- column language: Language | Langue | language
-- column version: Version | Version
-- column fr: French | Français | codes translation_status
-- column en: English | Anglais | codes translation_status
-- column others: Other languages | Autres langues | set
--
-- :on is the date, :country keeps one country, :group the documents of that
-- group and of those below it, and without a group those of their countries. A
-- translation is told with its original; one whose original is not here stands
-- for itself. Of several translations into a language the furthest counts.
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
document AS MATERIALIZED (
    SELECT CAST(coalesce(code, ent_uuid(id)) AS TEXT) AS code,
           min(space) AS space, title,
           kind, substr(lower(language), 1, 2) AS language, version, iso3,
           group_id, translation_of, published_on,
           CASE translation_status WHEN 'validated' THEN 1 WHEN 'draft' THEN 2
                                   ELSE 3 END AS status
      FROM documents
     GROUP BY 1
),
translated AS MATERIALIZED (
    SELECT translation_of, language,
           CASE min(status) WHEN 1 THEN 'validated' WHEN 2 THEN 'draft'
                            ELSE 'missing' END AS status
      FROM document
     WHERE translation_of IS NOT NULL
     GROUP BY translation_of, language
),
stated AS MATERIALIZED (
    SELECT translation_of,
           max(status) FILTER (WHERE language = 'fr') AS fr,
           max(status) FILTER (WHERE language = 'en') AS en,
           json_group_array(language || ': ' || status)
               FILTER (WHERE language NOT IN ('fr', 'en')) AS others
      FROM translated
     GROUP BY translation_of
)
SELECT d.code AS document_id, d.title, d.kind, d.iso3, d.language, d.version,
       CASE WHEN d.language = 'fr' THEN 'original'
            ELSE coalesce(stated.fr, 'missing') END AS fr,
       CASE WHEN d.language = 'en' THEN 'original'
            ELSE coalesce(stated.en, 'missing') END AS en,
       nullif(stated.others, '[]') AS others
  FROM document d
  LEFT JOIN stated ON stated.translation_of = d.code
 WHERE (d.translation_of IS NULL
        OR d.translation_of NOT IN (SELECT code FROM document))
   AND coalesce(d.published_on, '') <= :on
   AND (:country IS NULL OR d.iso3 = :country)
   AND (:group IS NULL OR d.group_id IN (SELECT code FROM within)
        OR d.group_id IS NULL AND d.iso3 IN (SELECT iso3 FROM home))
 ORDER BY d.code;
