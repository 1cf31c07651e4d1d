-- Whose card carries this code: for readers that see the person but not the table of codes (docs/rooms/dossier.md).
CREATE OR REPLACE FUNCTION sangyu.person_of_card(wanted text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ SELECT person_id FROM dossier_cardcode WHERE token = wanted AND replaced_at IS NULL $$;
