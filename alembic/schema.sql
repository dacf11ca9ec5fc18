--
-- PostgreSQL database dump
--

\restrict harai


SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: check_attempt_alone(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.check_attempt_alone() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM attempt_share s
        JOIN attempt a ON a.merchant_id = s.merchant_id AND a.id = s.attempt_id
        WHERE s.merchant_id = NEW.merchant_id AND s.bill_id = NEW.bill_id
              AND s.attempt_id <> NEW.id
              AND a.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
    ) THEN
        RAISE EXCEPTION 'bill % is in another live attempt', NEW.bill_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'attempt_one_live';
    END IF;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.check_attempt_alone() OWNER TO harai_owner;

--
-- Name: check_attempt_share(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.check_attempt_share() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
DECLARE
    whole record;
    shared record;
BEGIN
    SELECT a.amount_minor, a.bill_id, b.contract_blind, b.customer_blind INTO whole
    FROM attempt a JOIN bill b ON b.merchant_id = a.merchant_id AND b.id = a.bill_id
    WHERE a.merchant_id = NEW.merchant_id AND a.id = NEW.attempt_id;
    SELECT sum(s.amount_minor) AS amount_minor, count(*) AS bills,
           bool_or(s.bill_id = whole.bill_id) AS has_own,
           bool_and(b.contract_blind = whole.contract_blind
                    AND b.customer_blind = whole.customer_blind) AS is_one_contract
    INTO shared
    FROM attempt_share s
    LEFT JOIN bill b ON b.merchant_id = s.merchant_id AND b.id = s.bill_id
    WHERE s.merchant_id = NEW.merchant_id AND s.attempt_id = NEW.attempt_id;
    IF shared.amount_minor IS DISTINCT FROM whole.amount_minor OR shared.bills < 2
       OR shared.has_own IS NOT TRUE OR shared.is_one_contract IS NOT TRUE THEN
        RAISE EXCEPTION 'the shares of attempt % are not what it asks for', NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'attempt_share_sum';
    END IF;
    IF EXISTS (
        SELECT FROM attempt a
        WHERE a.merchant_id = NEW.merchant_id AND a.bill_id = NEW.bill_id
              AND a.id <> NEW.attempt_id
              AND a.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
    ) OR EXISTS (
        SELECT FROM attempt_share s
        JOIN attempt a ON a.merchant_id = s.merchant_id AND a.id = s.attempt_id
        WHERE s.merchant_id = NEW.merchant_id AND s.bill_id = NEW.bill_id
              AND s.attempt_id <> NEW.attempt_id
              AND a.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
    ) THEN
        RAISE EXCEPTION 'bill % is in another live attempt', NEW.bill_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'attempt_one_live';
    END IF;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.check_attempt_share() OWNER TO harai_owner;

--
-- Name: check_ledger_balance(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.check_ledger_balance() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $_$
DECLARE
    unsound uuid;
BEGIN
    EXECUTE $query$
        SELECT a.transaction_id
        FROM (
            SELECT merchant_id, transaction_id, sum(amount_minor) AS balance, count(*) AS lines,
                   max(line) AS last_line,
                   sum(amount_minor) FILTER (WHERE amount_minor > 0) AS debit
            FROM added GROUP BY merchant_id, transaction_id
        ) a
        LEFT JOIN LATERAL (
            SELECT id, entries, debit_minor FROM ledger_transaction
            WHERE merchant_id = a.merchant_id AND id = a.transaction_id OFFSET 0
        ) t ON true
        WHERE t.id IS NULL OR a.balance <> 0 OR a.lines <> t.entries
              OR a.last_line <> t.entries - 1 OR a.debit IS DISTINCT FROM t.debit_minor
        LIMIT 1
    $query$ INTO unsound;
    IF unsound IS NOT NULL THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', unsound
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance';
    END IF;
    RETURN NULL;
END
$_$;


ALTER FUNCTION public.check_ledger_balance() OWNER TO harai_owner;

--
-- Name: check_refund_room(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.check_refund_room() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
DECLARE
    taken bigint;
    held bigint;
BEGIN
    SELECT coalesce(s.amount_minor, a.amount_minor) INTO taken FROM attempt a
    LEFT JOIN attempt_share s ON s.merchant_id = a.merchant_id AND s.attempt_id = a.id
                                 AND s.bill_id = NEW.bill_id
    WHERE a.merchant_id = NEW.merchant_id AND a.id = NEW.attempt_id AND a.state = 'succeeded'
          AND (s.bill_id IS NOT NULL OR a.bill_id = NEW.bill_id)
    FOR NO KEY UPDATE OF a;
    SELECT coalesce(sum(amount_minor), 0) INTO held FROM refund
    WHERE merchant_id = NEW.merchant_id AND attempt_id = NEW.attempt_id AND bill_id = NEW.bill_id
          AND state IN ('reserved', 'submitting', 'pending', 'unknown', 'succeeded',
                        'by_bank_transfer', 'in_transfer', 'transferred');
    IF taken IS NULL OR held > taken THEN
        RAISE EXCEPTION 'refund % gives back more than attempt % brought', NEW.id, NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_room';
    END IF;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.check_refund_room() OWNER TO harai_owner;

--
-- Name: mark_odd_bills(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.mark_odd_bills() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $_$
BEGIN
    IF EXISTS (SELECT FROM new_bills
               WHERE is_odd <> (settlement NOT IN ('unpaid', 'settled'))) THEN
        EXECUTE $query$
            UPDATE bill SET is_odd = NOT bill.is_odd
            FROM (SELECT merchant_id, id FROM new_bills
                  WHERE is_odd <> (settlement NOT IN ('unpaid', 'settled'))) n
            WHERE bill.merchant_id = n.merchant_id AND bill.id = n.id
        $query$;
    END IF;
    RETURN NULL;
END
$_$;


ALTER FUNCTION public.mark_odd_bills() OWNER TO harai_owner;

--
-- Name: refuse_debit_change(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.refuse_debit_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    RAISE EXCEPTION 'debit % is a line of its file: it can not become another', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'debit_fixed';
END
$$;


ALTER FUNCTION public.refuse_debit_change() OWNER TO harai_owner;

--
-- Name: refuse_debit_file_change(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.refuse_debit_file_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    RAISE EXCEPTION 'debit file % is sealed: what it holds does not change', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'debit_file_fixed';
END
$$;


ALTER FUNCTION public.refuse_debit_file_change() OWNER TO harai_owner;

--
-- Name: refuse_ledger_change(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.refuse_ledger_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'ledger_append_only';
END
$$;


ALTER FUNCTION public.refuse_ledger_change() OWNER TO harai_owner;

--
-- Name: refuse_refund_change(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.refuse_refund_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    RAISE EXCEPTION 'refund % is what was asked for: it can not become another', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_fixed';
END
$$;


ALTER FUNCTION public.refuse_refund_change() OWNER TO harai_owner;

--
-- Name: refuse_slip_change(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.refuse_slip_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    RAISE EXCEPTION 'slip % was made out: it can not become another', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'slip_fixed';
END
$$;


ALTER FUNCTION public.refuse_slip_change() OWNER TO harai_owner;

--
-- Name: refuse_transfer_change(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.refuse_transfer_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    RAISE EXCEPTION 'transfer % is a line of its file: it can not become another', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_fixed';
END
$$;


ALTER FUNCTION public.refuse_transfer_change() OWNER TO harai_owner;

--
-- Name: refuse_transfer_file_change(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.refuse_transfer_file_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    RAISE EXCEPTION 'transfer file % is sealed: what it holds does not change', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_file_fixed';
END
$$;


ALTER FUNCTION public.refuse_transfer_file_change() OWNER TO harai_owner;

--
-- Name: tally_bills(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.tally_bills() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO bill_tally (merchant_id, lifecycle, settlement, message, is_opened, due_on,
                                paid_on, bills, amount_minor)
        SELECT b.merchant_id, b.lifecycle, b.settlement, b.message, b.opened_at IS NOT NULL,
               b.due_on, (b.paid_at AT TIME ZONE m.zone)::date, count(*), sum(b.amount_minor)
        FROM new_bills b LEFT JOIN merchant m ON b.paid_at IS NOT NULL AND m.id = b.merchant_id
        GROUP BY 1, 2, 3, 4, 5, 6, 7;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO bill_tally (merchant_id, lifecycle, settlement, message, is_opened, due_on,
                                paid_on, bills, amount_minor)
        SELECT b.merchant_id, b.lifecycle, b.settlement, b.message, b.opened_at IS NOT NULL,
               b.due_on, (b.paid_at AT TIME ZONE m.zone)::date, -count(*), -sum(b.amount_minor)
        FROM old_bills b LEFT JOIN merchant m ON b.paid_at IS NOT NULL AND m.id = b.merchant_id
        GROUP BY 1, 2, 3, 4, 5, 6, 7;
    ELSE
        INSERT INTO bill_tally (merchant_id, lifecycle, settlement, message, is_opened, due_on,
                                paid_on, bills, amount_minor)
        SELECT b.merchant_id, b.lifecycle, b.settlement, b.message, b.opened_at IS NOT NULL,
               b.due_on, (b.paid_at AT TIME ZONE m.zone)::date, sum(b.sign),
               sum(b.sign * b.amount_minor)
        FROM (
            SELECT merchant_id, lifecycle, settlement, message, opened_at, due_on, paid_at,
                   amount_minor, 1 AS sign
            FROM new_bills
            UNION ALL
            SELECT merchant_id, lifecycle, settlement, message, opened_at, due_on, paid_at,
                   amount_minor, -1
            FROM old_bills
        ) b LEFT JOIN merchant m ON b.paid_at IS NOT NULL AND m.id = b.merchant_id
        GROUP BY 1, 2, 3, 4, 5, 6, 7
        HAVING sum(b.sign) <> 0 OR sum(b.sign * b.amount_minor) <> 0;
    END IF;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.tally_bills() OWNER TO harai_owner;

--
-- Name: tally_deliveries(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.tally_deliveries() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
        SELECT n.merchant_id, b.import_id, n.channel, n.provider,
               CASE WHEN n.state IN ('planned', 'handed', 'redeemed') THEN 'waiting'
                    ELSE n.state END, count(*)
        FROM new_rows n
        JOIN LATERAL (SELECT import_id FROM bill
                      WHERE merchant_id = n.merchant_id AND id = n.bill_id OFFSET 0) b ON true
        GROUP BY 1, 2, 3, 4, 5;
    ELSE
        INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
        SELECT m.merchant_id, b.import_id, m.channel, m.provider, m.stage, sum(m.number)
        FROM (
            SELECT merchant_id, bill_id, channel, provider,
                   CASE WHEN state IN ('planned', 'handed', 'redeemed') THEN 'waiting'
                        ELSE state END AS stage,
                   sum(sign) AS number
            FROM (SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) r
            GROUP BY 1, 2, 3, 4, 5 HAVING sum(sign) <> 0
        ) m
        JOIN LATERAL (SELECT import_id FROM bill
                      WHERE merchant_id = m.merchant_id AND id = m.bill_id OFFSET 0) b ON true
        GROUP BY 1, 2, 3, 4, 5 HAVING sum(m.number) <> 0;
    END IF;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.tally_deliveries() OWNER TO harai_owner;

--
-- Name: tally_reach(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.tally_reach() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    WITH moved AS MATERIALIZED (
        SELECT merchant_id, id, import_id, sum(issued) AS issued, sum(unopened) AS unopened,
               sum(told) AS told, sum(reached) AS reached, sum(opened) AS opened,
               sum(paid) AS paid
        FROM (
            SELECT r.merchant_id, r.id, r.import_id, r.sign * k.issued AS issued,
                   r.sign * k.unopened AS unopened, r.sign * k.told AS told,
                   r.sign * k.reached AS reached, r.sign * k.opened AS opened,
                   r.sign * k.paid AS paid
            FROM (SELECT *, 1 AS sign FROM new_rows
                  UNION ALL SELECT *, -1 FROM old_rows) r
            CROSS JOIN LATERAL (SELECT
                l.counts::int AS issued,
                (r.lifecycle IN ('open', 'overdue') AND r.settlement = 'unpaid'
                 AND r.opened_at IS NULL)::int AS unopened,
                (r.is_told AND l.counts)::int AS told,
                (r.is_reached AND l.counts)::int AS reached,
                (r.opened_at IS NOT NULL AND l.counts)::int AS opened,
                (r.settlement IN ('settled', 'over') AND l.counts)::int AS paid
                FROM (SELECT r.lifecycle IN ('open', 'overdue', 'lapsed', 'canceling') AS counts
                ) l) k
        ) s
        GROUP BY 1, 2, 3
        HAVING sum(issued) <> 0 OR sum(unopened) <> 0 OR sum(told) <> 0 OR sum(reached) <> 0
               OR sum(opened) <> 0 OR sum(paid) <> 0
    ), put_down AS MATERIALIZED (
        SELECT m.*, coalesce(h.opened_by, d.channel, '') AS opened_by,
               coalesce(h.paid_by, d.channel, '') AS paid_by,
               h.bill_id IS NULL AS is_first
        FROM moved m
        LEFT JOIN LATERAL (
            SELECT bill_id, opened_by, paid_by FROM bill_reach
            WHERE merchant_id = m.merchant_id AND bill_id = m.id OFFSET 0
        ) h ON true
        LEFT JOIN LATERAL (
            SELECT channel FROM delivery
            WHERE merchant_id = m.merchant_id AND bill_id = m.id
                  AND state IN ('accepted', 'delivered', 'undelivered', 'ambiguous')
            ORDER BY id DESC LIMIT 1
        ) d ON true
        WHERE m.opened <> 0 OR m.paid <> 0
    ), first AS (
        INSERT INTO bill_reach (merchant_id, bill_id, opened_by, paid_by)
        SELECT merchant_id, id, CASE WHEN opened > 0 THEN opened_by END,
               CASE WHEN paid > 0 THEN paid_by END
        FROM put_down WHERE is_first AND (opened > 0 OR paid > 0)
    ), kept AS (
        INSERT INTO bill_reach (merchant_id, bill_id, opened_by, paid_by)
        SELECT merchant_id, id, CASE WHEN opened > 0 THEN opened_by END,
               CASE WHEN paid > 0 THEN paid_by END
        FROM put_down WHERE NOT is_first AND (opened > 0 OR paid > 0)
        ON CONFLICT (merchant_id, bill_id) DO UPDATE
        SET opened_by = coalesce(bill_reach.opened_by, excluded.opened_by),
            paid_by = coalesce(bill_reach.paid_by, excluded.paid_by)
    )
    INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
    SELECT merchant_id, import_id, channel, '', stage, sum(number)
    FROM (
        SELECT merchant_id, import_id, '' AS channel, 'issued' AS stage, issued AS number
        FROM moved
        UNION ALL SELECT merchant_id, import_id, '', 'unopened', unopened FROM moved
        UNION ALL SELECT merchant_id, import_id, '', 'told', told FROM moved
        UNION ALL SELECT merchant_id, import_id, '', 'reached', reached FROM moved
        UNION ALL SELECT merchant_id, import_id, opened_by, 'opened', opened FROM put_down
        UNION ALL SELECT merchant_id, import_id, paid_by, 'paid', paid FROM put_down
    ) s
    GROUP BY 1, 2, 3, 5 HAVING sum(number) <> 0;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.tally_reach() OWNER TO harai_owner;

--
-- Name: tell_results_of_bills(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.tell_results_of_bills() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
    SELECT r.merchant_id, r.id, k.kind, k.amount_minor, '', k.at
    FROM (
        SELECT merchant_id, id, max(opened_at) FILTER (WHERE sign = 1) AS opened_at,
               max(canceled_at) FILTER (WHERE sign = 1) AS canceled_at,
               max(amount_minor) FILTER (WHERE sign = 1) AS amount_minor,
               bool_or(lifecycle = 'superseded') FILTER (WHERE sign = 1) AS is_replaced,
               sum(sign * (opened_at IS NOT NULL)::int) AS opened,
               sum(sign * (canceled_at IS NOT NULL)::int) AS canceled
        FROM (SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) both_rows
        GROUP BY 1, 2
    ) r
    CROSS JOIN LATERAL (VALUES
        ('opened', NULL, r.opened_at, r.opened > 0),
        (CASE WHEN r.is_replaced THEN 'replaced' ELSE 'canceled' END, r.amount_minor,
         r.canceled_at, r.canceled > 0)
    ) k (kind, amount_minor, at, is_so)
    WHERE k.is_so;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.tell_results_of_bills() OWNER TO harai_owner;

--
-- Name: tell_results_of_deliveries(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.tell_results_of_deliveries() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    INSERT INTO result_event (merchant_id, bill_id, kind, method, at)
    SELECT r.merchant_id, r.bill_id, k.kind, r.channel, r.at
    FROM (
        SELECT merchant_id, id, bill_id, channel, max(changed_at) FILTER (WHERE sign = 1) AS at,
               sum(sign * (state IN ('accepted', 'delivered', 'undelivered'))::int) AS sent,
               sum(sign * (state = 'delivered')::int) AS delivered
        FROM (SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) both_rows
        GROUP BY 1, 2, 3, 4
    ) r
    CROSS JOIN LATERAL (VALUES ('sent', r.sent > 0), ('delivered', r.delivered > 0))
         k (kind, is_so)
    WHERE k.is_so;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.tell_results_of_deliveries() OWNER TO harai_owner;

--
-- Name: tell_results_of_money(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.tell_results_of_money() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
    SELECT e.merchant_id, e.bill_id, k.kind, abs(e.amount_minor),
           CASE WHEN e.account = 'advanced' THEN 'bank_transfer' ELSE coalesce(a.method, '') END,
           t.at
    FROM new_rows e
    JOIN LATERAL (
        SELECT cause, at FROM ledger_transaction
        WHERE merchant_id = e.merchant_id AND id = e.transaction_id OFFSET 0
    ) t ON true
    JOIN (VALUES
        ('attempt_succeeded', 'in_transit', 'paid_confirmed'),
        ('refund_succeeded', 'in_transit', 'refunded'),
        ('refund_succeeded_late', 'in_transit', 'refunded'),
        ('refund_transferred', 'advanced', 'refunded'),
        ('refund_returned', 'advanced', 'refund_returned'),
        ('chargeback_taken', 'disputed', 'paid_reversed'),
        ('chargeback_returned', 'disputed', 'paid_restored')
    ) k (cause, account, kind) ON k.cause = t.cause AND k.account = e.account
    LEFT JOIN LATERAL (
        SELECT method FROM attempt
        WHERE merchant_id = e.merchant_id AND id = e.attempt_id OFFSET 0
    ) a ON true;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.tell_results_of_money() OWNER TO harai_owner;

--
-- Name: tell_results_of_paper(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.tell_results_of_paper() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    INSERT INTO result_event (merchant_id, bill_id, kind, method, at)
    SELECT n.merchant_id, n.bill_id, 'to_paper', '', b.made_at
    FROM new_rows n
    JOIN print_batch b ON b.merchant_id = n.merchant_id AND b.id = n.batch_id;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.tell_results_of_paper() OWNER TO harai_owner;

--
-- Name: tell_results_of_takings(); Type: FUNCTION; Schema: public; Owner: harai_owner
--

CREATE FUNCTION public.tell_results_of_takings() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
        SELECT merchant_id, bill_id, 'paid_provisional', amount_minor, 'slip', at
        FROM new_rows WHERE state = 'pending';
    ELSE
        INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
        SELECT n.merchant_id, n.bill_id, 'paid_reversed', n.amount_minor, 'slip', n.at
        FROM new_rows n
        JOIN old_rows o ON o.merchant_id = n.merchant_id AND o.id = n.id
        WHERE n.state = 'void' AND o.state = 'pending';
    END IF;
    RETURN NULL;
END
$$;


ALTER FUNCTION public.tell_results_of_takings() OWNER TO harai_owner;

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


ALTER TABLE public.alembic_version OWNER TO harai_owner;

--
-- Name: api_key; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.api_key (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone
);
ALTER TABLE ONLY public.api_key ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.api_key FORCE ROW LEVEL SECURITY;


ALTER TABLE public.api_key OWNER TO harai_owner;

--
-- Name: approval; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.approval (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    content bytea NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    approved_by text,
    approved_at timestamp with time zone,
    used_at timestamp with time zone,
    CONSTRAINT approval_check CHECK ((approved_by <> asked_by))
);
ALTER TABLE ONLY public.approval ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.approval FORCE ROW LEVEL SECURITY;


ALTER TABLE public.approval OWNER TO harai_owner;

--
-- Name: attempt; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.attempt (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    method text NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    state text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    amount_minor bigint NOT NULL,
    currency text DEFAULT 'JPY'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    state_at timestamp with time zone NOT NULL,
    doubt_at timestamp with time zone NOT NULL,
    asked integer DEFAULT 0 NOT NULL,
    ask_at timestamp with time zone,
    missing_at timestamp with time zone,
    decline_code text,
    authentication text DEFAULT ''::text NOT NULL,
    provider_ref text DEFAULT ''::text NOT NULL,
    instrument bytea,
    heard_at timestamp with time zone,
    CONSTRAINT attempt_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT attempt_currency_check CHECK ((currency = 'JPY'::text)),
    CONSTRAINT attempt_state_check CHECK ((state = ANY (ARRAY['created'::text, 'submitting'::text, 'requires_action'::text, 'processing'::text, 'unknown'::text, 'succeeded'::text, 'failed'::text, 'expired'::text])))
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.attempt ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.attempt FORCE ROW LEVEL SECURITY;


ALTER TABLE public.attempt OWNER TO harai_owner;

--
-- Name: attempt_share; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.attempt_share (
    merchant_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT attempt_share_amount_minor_check CHECK ((amount_minor > 0))
);
ALTER TABLE ONLY public.attempt_share ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.attempt_share FORCE ROW LEVEL SECURITY;


ALTER TABLE public.attempt_share OWNER TO harai_owner;

--
-- Name: audit; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.audit (
    instance text NOT NULL,
    number bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    merchant_id uuid,
    caller text NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    jti uuid NOT NULL,
    operation text NOT NULL,
    outcome text NOT NULL,
    rows integer NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT audit_number_check CHECK ((number > 0))
);


ALTER TABLE public.audit OWNER TO harai_owner;

--
-- Name: bill; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.bill (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    import_id uuid NOT NULL,
    line integer NOT NULL,
    number text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    sealed_version integer DEFAULT 1 NOT NULL,
    lifecycle text NOT NULL,
    settlement text NOT NULL,
    message text NOT NULL,
    kind text NOT NULL,
    period text NOT NULL,
    contract_blind bytea NOT NULL,
    customer_blind bytea NOT NULL,
    phone_blind bytea,
    email_blind bytea,
    check_code integer NOT NULL,
    amount_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    currency text DEFAULT 'JPY'::text NOT NULL,
    due_on date NOT NULL,
    language text NOT NULL,
    contact bytea NOT NULL,
    billing bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    issued_at timestamp with time zone,
    opened_at timestamp with time zone,
    paid_at timestamp with time zone,
    canceled_at timestamp with time zone,
    has_address boolean DEFAULT false NOT NULL,
    is_odd boolean DEFAULT false NOT NULL,
    is_told boolean DEFAULT false NOT NULL,
    is_reached boolean DEFAULT false NOT NULL,
    consent_on date,
    consent_source text,
    CONSTRAINT bill_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT bill_check_code_check CHECK (((check_code >= 0) AND (check_code <= 999999))),
    CONSTRAINT bill_lifecycle_check CHECK ((lifecycle = ANY (ARRAY['scheduled'::text, 'open'::text, 'overdue'::text, 'lapsed'::text, 'canceling'::text, 'canceled'::text, 'superseded'::text]))),
    CONSTRAINT bill_message_check CHECK ((message = ANY (ARRAY['none'::text, 'planned'::text, 'sending'::text, 'accepted'::text, 'delivered'::text, 'undelivered'::text, 'failed'::text, 'ambiguous'::text]))),
    CONSTRAINT bill_settlement_check CHECK ((settlement = ANY (ARRAY['unpaid'::text, 'provisional'::text, 'settled'::text, 'over'::text, 'reversed'::text]))),
    CONSTRAINT bill_tax_minor_check CHECK ((tax_minor >= 0))
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.bill ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.bill FORCE ROW LEVEL SECURITY;


ALTER TABLE public.bill OWNER TO harai_owner;

--
-- Name: bill_change; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.bill_change (
    merchant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    line integer NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    new_bill_id uuid,
    CONSTRAINT bill_change_action_check CHECK ((action = ANY (ARRAY['cancel'::text, 'paid_elsewhere'::text, 'replace'::text]))),
    CONSTRAINT bill_change_new_check CHECK (((action = 'replace'::text) = (new_bill_id IS NOT NULL))),
    CONSTRAINT bill_change_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'done'::text, 'waiting'::text, 'ready'::text, 'known'::text, 'refused'::text])))
);
ALTER TABLE ONLY public.bill_change ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.bill_change FORCE ROW LEVEL SECURITY;


ALTER TABLE public.bill_change OWNER TO harai_owner;

--
-- Name: bill_event; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.bill_event (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    code text NOT NULL,
    actor text NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    attempt_id uuid,
    amount_minor bigint
);
ALTER TABLE ONLY public.bill_event ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.bill_event FORCE ROW LEVEL SECURITY;


ALTER TABLE public.bill_event OWNER TO harai_owner;

--
-- Name: bill_reach; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.bill_reach (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    opened_by text,
    paid_by text
);
ALTER TABLE ONLY public.bill_reach ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.bill_reach FORCE ROW LEVEL SECURITY;


ALTER TABLE public.bill_reach OWNER TO harai_owner;

--
-- Name: bill_tally; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.bill_tally (
    merchant_id uuid NOT NULL,
    id bigint NOT NULL,
    lifecycle text NOT NULL,
    settlement text NOT NULL,
    message text NOT NULL,
    is_opened boolean NOT NULL,
    due_on date NOT NULL,
    paid_on date,
    bills bigint NOT NULL,
    amount_minor bigint NOT NULL
);
ALTER TABLE ONLY public.bill_tally ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.bill_tally FORCE ROW LEVEL SECURITY;


ALTER TABLE public.bill_tally OWNER TO harai_owner;

--
-- Name: bill_tally_id_seq; Type: SEQUENCE; Schema: public; Owner: harai_owner
--

ALTER TABLE public.bill_tally ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.bill_tally_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: budget; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.budget (
    holder text NOT NULL,
    window_no bigint NOT NULL,
    used bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


ALTER TABLE public.budget OWNER TO harai_owner;

--
-- Name: business_clock; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.business_clock (
    id integer NOT NULL,
    offset_s double precision DEFAULT 0 NOT NULL,
    CONSTRAINT business_clock_id_check CHECK ((id = 1))
);


ALTER TABLE public.business_clock OWNER TO harai_owner;

--
-- Name: card_charge; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.card_charge (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    card_id uuid NOT NULL,
    attempt_id uuid,
    state text NOT NULL,
    tries integer NOT NULL,
    code text,
    planned_on date NOT NULL,
    state_at timestamp with time zone NOT NULL,
    CONSTRAINT card_charge_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'handed'::text, 'redeemed'::text, 'again'::text, 'left_out'::text]))),
    CONSTRAINT card_charge_tries_check CHECK ((tries >= 0))
);
ALTER TABLE ONLY public.card_charge ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.card_charge FORCE ROW LEVEL SECURITY;


ALTER TABLE public.card_charge OWNER TO harai_owner;

--
-- Name: card_on_file; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.card_on_file (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    customer_blind bytea NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    code text,
    consent text NOT NULL,
    consent_at timestamp with time zone NOT NULL,
    days_before integer NOT NULL,
    enrolled_on date,
    instrument bytea,
    state_at timestamp with time zone NOT NULL,
    CONSTRAINT card_on_file_is_known CHECK (((state <> ALL (ARRAY['active'::text, 'suspended'::text])) OR ((instrument IS NOT NULL) AND (enrolled_on IS NOT NULL)))),
    CONSTRAINT card_on_file_state_check CHECK ((state = ANY (ARRAY['awaited'::text, 'active'::text, 'suspended'::text, 'replaced'::text, 'revoked'::text, 'void'::text])))
);
ALTER TABLE ONLY public.card_on_file ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.card_on_file FORCE ROW LEVEL SECURITY;


ALTER TABLE public.card_on_file OWNER TO harai_owner;

--
-- Name: card_payment; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.card_payment (
    merchant_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    card_id uuid NOT NULL,
    state text NOT NULL,
    access bytea,
    state_at timestamp with time zone NOT NULL,
    CONSTRAINT card_payment_state_check CHECK ((state = ANY (ARRAY['begun'::text, 'redeemed'::text, 'returned'::text, 'secured'::text])))
);
ALTER TABLE ONLY public.card_payment ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.card_payment FORCE ROW LEVEL SECURITY;


ALTER TABLE public.card_payment OWNER TO harai_owner;

--
-- Name: case_; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.case_ (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    params jsonb NOT NULL,
    seen integer DEFAULT 1 NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    closed_by text,
    resolution text,
    seen_at timestamp with time zone,
    note bytea
);
ALTER TABLE ONLY public.case_ ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.case_ FORCE ROW LEVEL SECURITY;


ALTER TABLE public.case_ OWNER TO harai_owner;

--
-- Name: contact_choice; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.contact_choice (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contact bytea NOT NULL,
    channel text NOT NULL,
    kind text NOT NULL,
    is_wanted boolean NOT NULL,
    source text NOT NULL,
    actor text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT contact_choice_kind_check CHECK ((kind = ANY (ARRAY['transactional'::text, 'marketing'::text])))
);
ALTER TABLE ONLY public.contact_choice ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.contact_choice FORCE ROW LEVEL SECURITY;


ALTER TABLE public.contact_choice OWNER TO harai_owner;

--
-- Name: contact_doubt; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.contact_doubt (
    merchant_id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    contact bytea NOT NULL,
    why text NOT NULL,
    bill_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    cleared_at timestamp with time zone
);
ALTER TABLE ONLY public.contact_doubt ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.contact_doubt FORCE ROW LEVEL SECURITY;


ALTER TABLE public.contact_doubt OWNER TO harai_owner;

--
-- Name: contact_fault; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.contact_fault (
    merchant_id uuid NOT NULL,
    channel text NOT NULL,
    blind bytea NOT NULL,
    code text NOT NULL,
    at timestamp with time zone NOT NULL,
    cleared_at timestamp with time zone
);
ALTER TABLE ONLY public.contact_fault ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.contact_fault FORCE ROW LEVEL SECURITY;


ALTER TABLE public.contact_fault OWNER TO harai_owner;

--
-- Name: contact_verified; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.contact_verified (
    merchant_id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    contact bytea NOT NULL,
    customer_blind bytea NOT NULL,
    channel text NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.contact_verified ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.contact_verified FORCE ROW LEVEL SECURITY;


ALTER TABLE public.contact_verified OWNER TO harai_owner;

--
-- Name: debit; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.debit (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    file_id uuid CONSTRAINT debit_file_id_not_null1 NOT NULL,
    line_no integer NOT NULL,
    bill_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    instruction_no text NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    cause text,
    booked_cause text,
    CONSTRAINT debit_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT debit_line_no_check CHECK ((line_no > 0)),
    CONSTRAINT debit_state_check CHECK ((state = ANY (ARRAY['selected'::text, 'in_file'::text, 'succeeded'::text, 'nsf'::text, 'failed'::text, 'stopped'::text, 'unknown'::text, 'withdrawn'::text])))
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.debit ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.debit FORCE ROW LEVEL SECURITY;


ALTER TABLE public.debit OWNER TO harai_owner;

--
-- Name: debit_contract; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.debit_contract (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bank_code text NOT NULL,
    collector_code text NOT NULL,
    details bytea NOT NULL,
    record_end text NOT NULL,
    has_blank_result boolean NOT NULL,
    more_letters text NOT NULL,
    lines_max integer NOT NULL,
    day_of_month smallint NOT NULL,
    submit_days smallint NOT NULL,
    submit_by time without time zone NOT NULL,
    presents_again boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    line text DEFAULT ''::text NOT NULL,
    result_days smallint DEFAULT 1 NOT NULL,
    closed_days date[] DEFAULT '{}'::date[] NOT NULL,
    opened_days date[] DEFAULT '{}'::date[] NOT NULL,
    CONSTRAINT debit_contract_day_of_month_check CHECK (((day_of_month >= 1) AND (day_of_month <= 31))),
    CONSTRAINT debit_contract_lines_max_check CHECK (((lines_max >= 1) AND (lines_max <= 999999))),
    CONSTRAINT debit_contract_submit_days_check CHECK ((submit_days > 0))
);
ALTER TABLE ONLY public.debit_contract ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.debit_contract FORCE ROW LEVEL SECURITY;


ALTER TABLE public.debit_contract OWNER TO harai_owner;

--
-- Name: debit_fetch; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.debit_fetch (
    merchant_id uuid NOT NULL,
    file_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    tries integer NOT NULL,
    since timestamp with time zone NOT NULL,
    code text NOT NULL,
    state_at timestamp with time zone NOT NULL,
    CONSTRAINT debit_fetch_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'handed'::text, 'storing'::text, 'read'::text, 'by_hand'::text]))),
    CONSTRAINT debit_fetch_tries_check CHECK ((tries >= 0))
);
ALTER TABLE ONLY public.debit_fetch ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.debit_fetch FORCE ROW LEVEL SECURITY;


ALTER TABLE public.debit_fetch OWNER TO harai_owner;

--
-- Name: debit_file; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.debit_file (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contract_id uuid NOT NULL,
    debit_on date NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    number_ms bigint NOT NULL,
    lines integer NOT NULL,
    total_minor bigint NOT NULL,
    parts integer NOT NULL,
    size_bytes bigint NOT NULL,
    is_full boolean NOT NULL,
    place uuid,
    sha256 bytea,
    built_by text NOT NULL,
    built_at timestamp with time zone NOT NULL,
    approval_id uuid,
    approve_until timestamp with time zone,
    decided_by text,
    decided_at timestamp with time zone,
    state_at timestamp with time zone NOT NULL,
    refused_result text NOT NULL,
    refused_record integer NOT NULL,
    booked_to integer DEFAULT 0 NOT NULL,
    reading bytea,
    CONSTRAINT debit_file_lines_check CHECK ((lines >= 0)),
    CONSTRAINT debit_file_sealed CHECK (((sha256 IS NOT NULL) OR (state = ANY (ARRAY['building'::text, 'discarded'::text])))),
    CONSTRAINT debit_file_state_check CHECK ((state = ANY (ARRAY['building'::text, 'sealed'::text, 'approved'::text, 'sending'::text, 'accepted'::text, 'rejected'::text, 'unknown'::text, 'answered'::text, 'discarded'::text]))),
    CONSTRAINT debit_file_total_minor_check CHECK ((total_minor >= 0))
);
ALTER TABLE ONLY public.debit_file ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.debit_file FORCE ROW LEVEL SECURITY;


ALTER TABLE public.debit_file OWNER TO harai_owner;

--
-- Name: debit_handover; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.debit_handover (
    merchant_id uuid NOT NULL,
    file_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    tries integer NOT NULL,
    asked integer NOT NULL,
    ask_at timestamp with time zone,
    doubt_at timestamp with time zone,
    code text NOT NULL,
    state_at timestamp with time zone NOT NULL,
    given integer DEFAULT 0 NOT NULL,
    kind text DEFAULT 'debit'::text NOT NULL,
    CONSTRAINT debit_handover_asked_check CHECK ((asked >= 0)),
    CONSTRAINT debit_handover_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'handed'::text, 'redeemed'::text, 'unknown'::text, 'ended'::text, 'by_hand'::text]))),
    CONSTRAINT debit_handover_tries_check CHECK ((tries >= 0))
);
ALTER TABLE ONLY public.debit_handover ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.debit_handover FORCE ROW LEVEL SECURITY;


ALTER TABLE public.debit_handover OWNER TO harai_owner;

--
-- Name: debit_result; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.debit_result (
    merchant_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    file_id uuid NOT NULL,
    part_file_id uuid NOT NULL,
    parts integer NOT NULL,
    lines integer NOT NULL,
    unknown integer NOT NULL,
    unexpected integer NOT NULL,
    read_by text NOT NULL,
    read_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.debit_result ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.debit_result FORCE ROW LEVEL SECURITY;


ALTER TABLE public.debit_result OWNER TO harai_owner;

--
-- Name: delivery; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.delivery (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    chunk_id uuid CONSTRAINT delivery_chunk_id_not_null1 NOT NULL,
    campaign text NOT NULL,
    step integer NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    not_before timestamp with time zone,
    provider_ref text DEFAULT ''::text NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    unclear_at timestamp with time zone,
    sent_at timestamp with time zone,
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'handed'::text, 'redeemed'::text, 'accepted'::text, 'ambiguous'::text, 'delivered'::text, 'undelivered'::text, 'failed'::text, 'left_out'::text])))
)
WITH (fillfactor='60');
ALTER TABLE ONLY public.delivery ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.delivery FORCE ROW LEVEL SECURITY;


ALTER TABLE public.delivery OWNER TO harai_owner;

--
-- Name: delivery_chunk; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.delivery_chunk (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    import_id uuid,
    channel text NOT NULL,
    provider text NOT NULL,
    deliveries integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone
);
ALTER TABLE ONLY public.delivery_chunk ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.delivery_chunk FORCE ROW LEVEL SECURITY;


ALTER TABLE public.delivery_chunk OWNER TO harai_owner;

--
-- Name: delivery_wording; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.delivery_wording (
    merchant_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    template_id uuid NOT NULL
);
ALTER TABLE ONLY public.delivery_wording ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.delivery_wording FORCE ROW LEVEL SECURITY;


ALTER TABLE public.delivery_wording OWNER TO harai_owner;

--
-- Name: digital_contract; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.digital_contract (
    merchant_id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    seen integer DEFAULT 0 NOT NULL,
    bill_id uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT digital_contract_seen_check CHECK ((seen >= 0)),
    CONSTRAINT digital_contract_state_check CHECK ((state = ANY (ARRAY['paper'::text, 'parallel'::text, 'digital'::text])))
);
ALTER TABLE ONLY public.digital_contract ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.digital_contract FORCE ROW LEVEL SECURITY;


ALTER TABLE public.digital_contract OWNER TO harai_owner;

--
-- Name: digital_event; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.digital_event (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    bill_id uuid NOT NULL,
    event text NOT NULL,
    state text NOT NULL,
    source text NOT NULL,
    words text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.digital_event ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.digital_event FORCE ROW LEVEL SECURITY;


ALTER TABLE public.digital_event OWNER TO harai_owner;

--
-- Name: dispute; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.dispute (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    reference text NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    taken_minor bigint NOT NULL,
    reason text NOT NULL,
    respond_by timestamp with time zone,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT dispute_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT dispute_check CHECK (((taken_minor >= 0) AND (taken_minor <= amount_minor))),
    CONSTRAINT dispute_state_check CHECK ((state = ANY (ARRAY['opened'::text, 'won'::text, 'lost'::text])))
);
ALTER TABLE ONLY public.dispute ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.dispute FORCE ROW LEVEL SECURITY;


ALTER TABLE public.dispute OWNER TO harai_owner;

--
-- Name: due_day; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.due_day (
    merchant_id uuid NOT NULL,
    day date NOT NULL,
    overdue_to date DEFAULT '1900-01-01'::date NOT NULL,
    overdue_id uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
    lapsed_to date DEFAULT '1900-01-01'::date NOT NULL,
    lapsed_id uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
    charged_on date DEFAULT '1900-01-01'::date NOT NULL
);
ALTER TABLE ONLY public.due_day ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.due_day FORCE ROW LEVEL SECURITY;


ALTER TABLE public.due_day OWNER TO harai_owner;

--
-- Name: failed_file; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.failed_file (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    sha256 bytea,
    lines integer NOT NULL,
    succeeded integer NOT NULL,
    stored_to integer NOT NULL,
    told_to integer NOT NULL,
    told integer NOT NULL,
    known integer NOT NULL,
    under_way integer NOT NULL,
    not_owed integer NOT NULL,
    unmatched integer NOT NULL,
    unclear integer NOT NULL,
    sent_by text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone,
    told_at timestamp with time zone,
    CONSTRAINT failed_file_state_check CHECK ((state = ANY (ARRAY['receiving'::text, 'dropped'::text, 'telling'::text, 'told'::text])))
);
ALTER TABLE ONLY public.failed_file ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.failed_file FORCE ROW LEVEL SECURITY;


ALTER TABLE public.failed_file OWNER TO harai_owner;

--
-- Name: failed_line; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.failed_line (
    merchant_id uuid NOT NULL,
    file_id uuid NOT NULL,
    record_no integer NOT NULL,
    amount_minor bigint NOT NULL,
    code text NOT NULL,
    blinds bytea[] NOT NULL,
    result text,
    bill_id uuid
);
ALTER TABLE ONLY public.failed_line ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.failed_line FORCE ROW LEVEL SECURITY;


ALTER TABLE public.failed_line OWNER TO harai_owner;

--
-- Name: file_part; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.file_part (
    merchant_id uuid NOT NULL,
    file_id uuid NOT NULL,
    part_no integer NOT NULL,
    size_bytes integer NOT NULL,
    fingerprint bytea NOT NULL,
    sealed bytea NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    CONSTRAINT file_part_size_bytes_check CHECK (((size_bytes >= 1) AND (size_bytes <= 1048576)))
);
ALTER TABLE ONLY public.file_part ALTER COLUMN merchant_id SET (n_distinct=1);
ALTER TABLE ONLY public.file_part ALTER COLUMN sealed SET STORAGE EXTERNAL;

ALTER TABLE ONLY public.file_part FORCE ROW LEVEL SECURITY;


ALTER TABLE public.file_part OWNER TO harai_owner;

--
-- Name: funnel_tally; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.funnel_tally (
    merchant_id uuid NOT NULL,
    id bigint NOT NULL,
    import_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    stage text NOT NULL,
    number bigint NOT NULL
);
ALTER TABLE ONLY public.funnel_tally ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.funnel_tally FORCE ROW LEVEL SECURITY;


ALTER TABLE public.funnel_tally OWNER TO harai_owner;

--
-- Name: funnel_tally_id_seq; Type: SEQUENCE; Schema: public; Owner: harai_owner
--

ALTER TABLE public.funnel_tally ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.funnel_tally_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: import; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.import (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    file_id uuid NOT NULL,
    state text NOT NULL,
    sealed_version integer DEFAULT 1 NOT NULL,
    facts bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    received_bytes bigint DEFAULT 0 NOT NULL,
    size_bytes bigint,
    is_received boolean DEFAULT false NOT NULL,
    split_state bytea NOT NULL,
    encoding text,
    columns text[],
    chunks_planned integer DEFAULT 0 NOT NULL,
    chunks_done integer DEFAULT 0 NOT NULL,
    rows_seen integer DEFAULT 0 NOT NULL,
    rows_good integer DEFAULT 0 NOT NULL,
    rows_faulty integer DEFAULT 0 NOT NULL,
    rows_known integer DEFAULT 0 NOT NULL,
    rows_issued integer DEFAULT 0 NOT NULL,
    step_after uuid,
    amount_good_minor bigint DEFAULT 0 NOT NULL,
    refused_code text,
    refused_params jsonb DEFAULT '{}'::jsonb NOT NULL,
    checked_at timestamp with time zone,
    decided_at timestamp with time zone,
    is_judged_again boolean DEFAULT false NOT NULL,
    sending text DEFAULT 'going'::text NOT NULL,
    CONSTRAINT import_state_check CHECK ((state = ANY (ARRAY['receiving'::text, 'checking'::text, 'checked'::text, 'issuing'::text, 'issued'::text, 'discarding'::text, 'discarded'::text, 'refused'::text])))
);
ALTER TABLE ONLY public.import ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.import FORCE ROW LEVEL SECURITY;


ALTER TABLE public.import OWNER TO harai_owner;

--
-- Name: import_chunk; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.import_chunk (
    merchant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    chunk_no integer NOT NULL,
    start_offset bigint NOT NULL,
    end_offset bigint NOT NULL,
    first_line integer NOT NULL,
    is_oversize boolean DEFAULT false NOT NULL,
    faults jsonb DEFAULT '{}'::jsonb NOT NULL,
    done_at timestamp with time zone,
    waits_for jsonb DEFAULT '{}'::jsonb NOT NULL,
    claims jsonb DEFAULT '{}'::jsonb NOT NULL
);
ALTER TABLE ONLY public.import_chunk ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.import_chunk FORCE ROW LEVEL SECURITY;


ALTER TABLE public.import_chunk OWNER TO harai_owner;

--
-- Name: journal_mark; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.journal_mark (
    merchant_id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL
);
ALTER TABLE ONLY public.journal_mark ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.journal_mark FORCE ROW LEVEL SECURITY;


ALTER TABLE public.journal_mark OWNER TO harai_owner;

--
-- Name: ladder; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.ladder (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    plan_version integer CONSTRAINT ladder_plan_version_not_null1 NOT NULL,
    done integer NOT NULL,
    next_at timestamp with time zone,
    failed_at timestamp with time zone,
    skips jsonb DEFAULT '[]'::jsonb NOT NULL,
    held text DEFAULT ''::text NOT NULL,
    ended text DEFAULT ''::text NOT NULL
);
ALTER TABLE ONLY public.ladder ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.ladder FORCE ROW LEVEL SECURITY;


ALTER TABLE public.ladder OWNER TO harai_owner;

--
-- Name: ladder_plan; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.ladder_plan (
    merchant_id uuid NOT NULL,
    version integer NOT NULL,
    plan jsonb NOT NULL,
    set_at timestamp with time zone NOT NULL,
    set_by text DEFAULT 'operator'::text NOT NULL,
    CONSTRAINT ladder_plan_version_check CHECK ((version > 0))
);
ALTER TABLE ONLY public.ladder_plan ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.ladder_plan FORCE ROW LEVEL SECURITY;


ALTER TABLE public.ladder_plan OWNER TO harai_owner;

--
-- Name: ledger_entry; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.ledger_entry (
    merchant_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    account text NOT NULL,
    amount_minor bigint NOT NULL,
    bill_id uuid NOT NULL,
    attempt_id uuid,
    CONSTRAINT ledger_entry_account_check CHECK ((account = ANY (ARRAY['receivable'::text, 'billed'::text, 'in_transit'::text, 'overpayment'::text, 'refund_clearing'::text, 'goodwill_clearing'::text, 'advanced'::text, 'announced'::text, 'unconfirmed'::text, 'disputed'::text, 'chargeback'::text]))),
    CONSTRAINT ledger_entry_amount_minor_check CHECK ((amount_minor <> 0)),
    CONSTRAINT ledger_entry_line_check CHECK ((line >= 0))
);
ALTER TABLE ONLY public.ledger_entry ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.ledger_entry FORCE ROW LEVEL SECURITY;


ALTER TABLE public.ledger_entry OWNER TO harai_owner;

--
-- Name: ledger_transaction; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.ledger_transaction (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    cause text NOT NULL,
    cause_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    currency text DEFAULT 'JPY'::text NOT NULL,
    debit_minor bigint NOT NULL,
    entries smallint NOT NULL,
    CONSTRAINT ledger_transaction_currency_check CHECK ((currency = 'JPY'::text)),
    CONSTRAINT ledger_transaction_debit_minor_check CHECK ((debit_minor > 0)),
    CONSTRAINT ledger_transaction_entries_check CHECK ((entries >= 2))
);
ALTER TABLE ONLY public.ledger_transaction ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.ledger_transaction FORCE ROW LEVEL SECURITY;


ALTER TABLE public.ledger_transaction OWNER TO harai_owner;

--
-- Name: link; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.link (
    merchant_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    bill_id uuid NOT NULL,
    delivery_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT link_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
);
ALTER TABLE ONLY public.link ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.link FORCE ROW LEVEL SECURITY;


ALTER TABLE public.link OWNER TO harai_owner;

--
-- Name: login_ticket; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.login_ticket (
    merchant_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    staff_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
ALTER TABLE ONLY public.login_ticket ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.login_ticket FORCE ROW LEVEL SECURITY;


ALTER TABLE public.login_ticket OWNER TO harai_owner;

--
-- Name: mandate; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.mandate (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contract_id uuid NOT NULL,
    customer_blind bytea NOT NULL,
    state text NOT NULL,
    code text,
    details bytea NOT NULL,
    is_new boolean NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    state_at timestamp with time zone NOT NULL,
    way text DEFAULT 'paper'::text NOT NULL,
    sealed_version integer DEFAULT 1 NOT NULL,
    CONSTRAINT mandate_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'redirected'::text, 'pending_bank'::text, 'active'::text, 'suspended'::text, 'revoked'::text, 'rejected'::text, 'abandoned'::text])))
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.mandate ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.mandate FORCE ROW LEVEL SECURITY;


ALTER TABLE public.mandate OWNER TO harai_owner;

--
-- Name: mandate_event; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.mandate_event (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    code text NOT NULL,
    reason text
);
ALTER TABLE ONLY public.mandate_event ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.mandate_event FORCE ROW LEVEL SECURITY;


ALTER TABLE public.mandate_event OWNER TO harai_owner;

--
-- Name: mandate_redirect; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.mandate_redirect (
    merchant_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    version integer NOT NULL,
    page bytea,
    token_hash bytea NOT NULL,
    token_until timestamp with time zone NOT NULL,
    asked integer NOT NULL,
    ask_at timestamp with time zone,
    doubt_at timestamp with time zone NOT NULL,
    missing_at timestamp with time zone,
    CONSTRAINT mandate_redirect_asked_check CHECK ((asked >= 0)),
    CONSTRAINT mandate_redirect_token_hash_check CHECK ((octet_length(token_hash) = 32))
);
ALTER TABLE ONLY public.mandate_redirect ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.mandate_redirect FORCE ROW LEVEL SECURITY;


ALTER TABLE public.mandate_redirect OWNER TO harai_owner;

--
-- Name: merchant; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.merchant (
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    zone text NOT NULL,
    sms_sender text NOT NULL,
    sms_provider text NOT NULL,
    card_provider text NOT NULL,
    phone text NOT NULL,
    website text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    lapse_after_days integer DEFAULT 90,
    wallet_provider text,
    refund_limit_minor bigint DEFAULT 10000 NOT NULL,
    promise_days_max integer DEFAULT 31 NOT NULL,
    extension_days_max integer DEFAULT 120 NOT NULL,
    charge_days_before integer,
    part_least_minor bigint,
    transfer_text text DEFAULT ''::text NOT NULL,
    number_provider text,
    number_hours text DEFAULT ''::text NOT NULL,
    card_policy text DEFAULT 'attempted'::text NOT NULL,
    CONSTRAINT merchant_lapse_after_days_check CHECK (((lapse_after_days >= 0) AND (lapse_after_days <= 3650)))
);

ALTER TABLE ONLY public.merchant FORCE ROW LEVEL SECURITY;


ALTER TABLE public.merchant OWNER TO harai_owner;

--
-- Name: merchant_app; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.merchant_app (
    merchant_id uuid NOT NULL,
    provider text NOT NULL,
    name text NOT NULL,
    CONSTRAINT merchant_app_name_check CHECK ((name <> ''::text)),
    CONSTRAINT merchant_app_provider_check CHECK ((provider = ANY (ARRAY['fcm'::text, 'apns'::text])))
);
ALTER TABLE ONLY public.merchant_app ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.merchant_app FORCE ROW LEVEL SECURITY;


ALTER TABLE public.merchant_app OWNER TO harai_owner;

--
-- Name: merchant_channel; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.merchant_channel (
    merchant_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    sender text NOT NULL,
    share integer NOT NULL,
    unclear text DEFAULT 'same_key'::text NOT NULL,
    says_amount boolean DEFAULT false NOT NULL,
    is_off boolean DEFAULT false NOT NULL,
    CONSTRAINT merchant_channel_share_check CHECK (((share >= 0) AND (share <= 100)))
);
ALTER TABLE ONLY public.merchant_channel ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.merchant_channel FORCE ROW LEVEL SECURITY;


ALTER TABLE public.merchant_channel OWNER TO harai_owner;

--
-- Name: merchant_code; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.merchant_code (
    code text NOT NULL,
    merchant_id uuid NOT NULL,
    CONSTRAINT merchant_code_code_check CHECK ((code ~ '^[a-z0-9]{3,12}$'::text))
);


ALTER TABLE public.merchant_code OWNER TO harai_owner;

--
-- Name: merchant_key; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.merchant_key (
    merchant_id uuid NOT NULL,
    purpose text NOT NULL,
    version integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.merchant_key ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.merchant_key FORCE ROW LEVEL SECURITY;


ALTER TABLE public.merchant_key OWNER TO harai_owner;

--
-- Name: message_price; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.message_price (
    merchant_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    prices integer[] NOT NULL,
    CONSTRAINT message_price_prices_check CHECK ((cardinality(prices) <= 10))
);
ALTER TABLE ONLY public.message_price ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.message_price FORCE ROW LEVEL SECURITY;


ALTER TABLE public.message_price OWNER TO harai_owner;

--
-- Name: message_switch; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.message_switch (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    number integer NOT NULL,
    import_id uuid,
    channel text NOT NULL,
    state text NOT NULL,
    after_id uuid NOT NULL,
    bills bigint NOT NULL,
    looked bigint NOT NULL,
    planned bigint NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT message_switch_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text])))
);
ALTER TABLE ONLY public.message_switch ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.message_switch FORCE ROW LEVEL SECURITY;


ALTER TABLE public.message_switch OWNER TO harai_owner;

--
-- Name: message_template; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.message_template (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    channel text NOT NULL,
    language text NOT NULL,
    occasion text NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    words bytea NOT NULL,
    written_by text NOT NULL,
    written_at timestamp with time zone NOT NULL,
    asked_by text,
    asked_at timestamp with time zone,
    approval_id uuid,
    approve_until timestamp with time zone,
    decided_by text,
    decided_at timestamp with time zone,
    CONSTRAINT message_template_approved_check CHECK (((state <> 'in_force'::text) OR ((approval_id IS NOT NULL) AND (decided_by IS NOT NULL) AND (decided_by <> asked_by))))
);
ALTER TABLE ONLY public.message_template ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.message_template FORCE ROW LEVEL SECURITY;


ALTER TABLE public.message_template OWNER TO harai_owner;

--
-- Name: message_trial; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.message_trial (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    tries integer NOT NULL,
    words bytea,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    secret_hash bytea,
    to_blind bytea
);
ALTER TABLE ONLY public.message_trial ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.message_trial FORCE ROW LEVEL SECURITY;


ALTER TABLE public.message_trial OWNER TO harai_owner;

--
-- Name: mint_key; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.mint_key (
    kid integer NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retired_at timestamp with time zone
);


ALTER TABLE public.mint_key OWNER TO harai_owner;

--
-- Name: notice; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.notice (
    merchant_id uuid NOT NULL,
    provider text NOT NULL,
    notice_id text NOT NULL,
    body_id uuid CONSTRAINT notice_body_id_not_null1 NOT NULL,
    subject text NOT NULL,
    reference text NOT NULL,
    claim text NOT NULL,
    claimed_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT notice_subject_check CHECK ((subject = ANY (ARRAY['attempt'::text, 'delivery'::text])))
);
ALTER TABLE ONLY public.notice ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.notice FORCE ROW LEVEL SECURITY;


ALTER TABLE public.notice OWNER TO harai_owner;

--
-- Name: notice_body; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.notice_body (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    body bytea NOT NULL
);
ALTER TABLE ONLY public.notice_body ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.notice_body FORCE ROW LEVEL SECURITY;


ALTER TABLE public.notice_body OWNER TO harai_owner;

--
-- Name: number_pace; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.number_pace (
    merchant_id uuid NOT NULL,
    provider text NOT NULL,
    free_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.number_pace ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.number_pace FORCE ROW LEVEL SECURITY;


ALTER TABLE public.number_pace OWNER TO harai_owner;

--
-- Name: once; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.once (
    merchant_id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    arguments bytea NOT NULL,
    answer bytea,
    created_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.once ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.once FORCE ROW LEVEL SECURITY;


ALTER TABLE public.once OWNER TO harai_owner;

--
-- Name: paper_due; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.paper_due (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    CONSTRAINT paper_due_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'printed'::text, 'dropped'::text])))
);
ALTER TABLE ONLY public.paper_due ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.paper_due FORCE ROW LEVEL SECURITY;


ALTER TABLE public.paper_due OWNER TO harai_owner;

--
-- Name: paper_saved; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.paper_saved (
    merchant_id uuid NOT NULL,
    id bigint NOT NULL,
    on_date date NOT NULL,
    sheets integer NOT NULL
);
ALTER TABLE ONLY public.paper_saved ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.paper_saved FORCE ROW LEVEL SECURITY;


ALTER TABLE public.paper_saved OWNER TO harai_owner;

--
-- Name: paper_saved_id_seq; Type: SEQUENCE; Schema: public; Owner: harai_owner
--

ALTER TABLE public.paper_saved ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.paper_saved_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: part_paid; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.part_paid (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    paid_minor bigint NOT NULL,
    CONSTRAINT part_paid_paid_minor_check CHECK ((paid_minor >= 0))
);
ALTER TABLE ONLY public.part_paid ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.part_paid FORCE ROW LEVEL SECURITY;


ALTER TABLE public.part_paid OWNER TO harai_owner;

--
-- Name: pause; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.pause (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    kind text NOT NULL,
    until date,
    was_due_on date,
    words bytea,
    placed_by text NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    ended_by text,
    ended_at timestamp with time zone,
    end_code text,
    CONSTRAINT pause_end_check CHECK (((ended_at IS NULL) = (end_code IS NULL))),
    CONSTRAINT pause_end_code_check CHECK ((end_code = ANY (ARRAY['released'::text, 'replaced'::text, 'paid'::text]))),
    CONSTRAINT pause_kind_check CHECK ((kind = ANY (ARRAY['hold'::text, 'promise'::text, 'extension'::text]))),
    CONSTRAINT pause_longer_check CHECK ((((kind = 'extension'::text) = (was_due_on IS NOT NULL)) AND ((was_due_on IS NULL) OR (until > was_due_on)))),
    CONSTRAINT pause_until_check CHECK (((until IS NOT NULL) OR (kind = 'hold'::text)))
);
ALTER TABLE ONLY public.pause ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.pause FORCE ROW LEVEL SECURITY;


ALTER TABLE public.pause OWNER TO harai_owner;

--
-- Name: phone_call; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.phone_call (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    provider text NOT NULL,
    secret_hash bytea NOT NULL,
    made_at timestamp with time zone NOT NULL,
    call_ref text DEFAULT ''::text NOT NULL,
    begun_at timestamp with time zone,
    stage text DEFAULT 'greeting'::text NOT NULL,
    saying text DEFAULT 'greeting'::text NOT NULL,
    step integer DEFAULT 0 NOT NULL,
    wrong integer DEFAULT 0 NOT NULL,
    silent integer DEFAULT 0 NOT NULL,
    has_pressed boolean DEFAULT false NOT NULL,
    is_told boolean DEFAULT false NOT NULL,
    is_link_asked boolean DEFAULT false NOT NULL,
    outcome text DEFAULT ''::text NOT NULL,
    ended_at timestamp with time zone,
    template_id uuid,
    CONSTRAINT phone_call_wrong_check CHECK (((wrong >= 0) AND (wrong <= 3)))
);
ALTER TABLE ONLY public.phone_call ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.phone_call FORCE ROW LEVEL SECURITY;


ALTER TABLE public.phone_call OWNER TO harai_owner;

--
-- Name: print_batch; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.print_batch (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    charset text NOT NULL,
    bills integer NOT NULL,
    with_bars integer NOT NULL,
    total_minor bigint NOT NULL,
    parts integer NOT NULL,
    report bytea NOT NULL,
    reported integer NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone,
    sha256 bytea,
    handed_at timestamp with time zone,
    handed_by text,
    CONSTRAINT print_batch_bills_check CHECK ((bills > 0)),
    CONSTRAINT print_batch_charset_check CHECK ((charset = ANY (ARRAY['utf-8-sig'::text, 'cp932'::text]))),
    CONSTRAINT print_batch_check CHECK (((with_bars >= 0) AND (with_bars <= bills))),
    CONSTRAINT print_batch_parts_check CHECK ((parts > 0)),
    CONSTRAINT print_batch_total_minor_check CHECK ((total_minor > 0))
);
ALTER TABLE ONLY public.print_batch ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.print_batch FORCE ROW LEVEL SECURITY;


ALTER TABLE public.print_batch OWNER TO harai_owner;

--
-- Name: print_bill; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.print_bill (
    merchant_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    is_again boolean NOT NULL,
    place integer
);
ALTER TABLE ONLY public.print_bill ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.print_bill FORCE ROW LEVEL SECURITY;


ALTER TABLE public.print_bill OWNER TO harai_owner;

--
-- Name: push_delivery; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.push_delivery (
    merchant_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    subscription_id uuid NOT NULL
);
ALTER TABLE ONLY public.push_delivery ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.push_delivery FORCE ROW LEVEL SECURITY;


ALTER TABLE public.push_delivery OWNER TO harai_owner;

--
-- Name: push_subscription; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.push_subscription (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_blind bytea NOT NULL,
    contact_blind bytea NOT NULL,
    phone_blind bytea,
    kind text NOT NULL,
    contact bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    app text DEFAULT ''::text NOT NULL,
    CONSTRAINT push_subscription_kind_check CHECK ((kind = ANY (ARRAY['web'::text, 'fcm'::text, 'apns'::text])))
);
ALTER TABLE ONLY public.push_subscription ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.push_subscription FORCE ROW LEVEL SECURITY;


ALTER TABLE public.push_subscription OWNER TO harai_owner;

--
-- Name: refund; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.refund (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    amount_minor bigint NOT NULL,
    owed_minor bigint NOT NULL,
    currency text DEFAULT 'JPY'::text NOT NULL,
    way text NOT NULL,
    reason text NOT NULL,
    words bytea,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    approval_id uuid,
    approve_until timestamp with time zone,
    decided_by text,
    decided_at timestamp with time zone,
    finished_at timestamp with time zone,
    transferred_on date,
    state_at timestamp with time zone NOT NULL,
    doubt_at timestamp with time zone,
    asked integer NOT NULL,
    ask_at timestamp with time zone,
    missing_at timestamp with time zone,
    code text,
    provider_ref text NOT NULL,
    left_at timestamp with time zone,
    payment_ref text DEFAULT ''::text NOT NULL,
    transfer_id uuid,
    returned_at timestamp with time zone,
    CONSTRAINT refund_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT refund_currency_check CHECK ((currency = 'JPY'::text)),
    CONSTRAINT refund_owed_check CHECK (((owed_minor >= 0) AND (owed_minor <= amount_minor))),
    CONSTRAINT refund_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'reserved'::text, 'submitting'::text, 'pending'::text, 'unknown'::text, 'succeeded'::text, 'failed'::text, 'withdrawn'::text, 'by_bank_transfer'::text, 'in_transfer'::text, 'transferred'::text]))),
    CONSTRAINT refund_way_check CHECK ((way = ANY (ARRAY['provider'::text, 'bank_transfer'::text])))
);
ALTER TABLE ONLY public.refund ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.refund FORCE ROW LEVEL SECURITY;


ALTER TABLE public.refund OWNER TO harai_owner;

--
-- Name: refund_account; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.refund_account (
    merchant_id uuid NOT NULL,
    refund_id uuid NOT NULL,
    version integer NOT NULL,
    details bytea NOT NULL,
    source text NOT NULL,
    given_at timestamp with time zone NOT NULL,
    given_by text NOT NULL,
    changes integer NOT NULL,
    CONSTRAINT refund_account_changes_check CHECK ((changes >= 0)),
    CONSTRAINT refund_account_source_check CHECK ((source = ANY (ARRAY['payer'::text, 'staff'::text, 'mandate'::text]))),
    CONSTRAINT refund_account_version_check CHECK ((version > 0))
);
ALTER TABLE ONLY public.refund_account ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.refund_account FORCE ROW LEVEL SECURITY;


ALTER TABLE public.refund_account OWNER TO harai_owner;

--
-- Name: refund_account_try; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.refund_account_try (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    failed integer NOT NULL,
    failed_at timestamp with time zone NOT NULL,
    CONSTRAINT refund_account_try_failed_check CHECK ((failed >= 0))
);
ALTER TABLE ONLY public.refund_account_try ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.refund_account_try FORCE ROW LEVEL SECURITY;


ALTER TABLE public.refund_account_try OWNER TO harai_owner;

--
-- Name: result_event; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.result_event (
    merchant_id uuid NOT NULL,
    txn bigint DEFAULT ((pg_current_xact_id())::text)::bigint NOT NULL,
    id bigint NOT NULL,
    bill_id uuid NOT NULL,
    kind text NOT NULL,
    amount_minor bigint,
    method text NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.result_event ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.result_event FORCE ROW LEVEL SECURITY;


ALTER TABLE public.result_event OWNER TO harai_owner;

--
-- Name: result_event_id_seq; Type: SEQUENCE; Schema: public; Owner: harai_owner
--

ALTER TABLE public.result_event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.result_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: result_file; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.result_file (
    merchant_id uuid NOT NULL,
    number integer NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    charset text NOT NULL,
    from_txn bigint NOT NULL,
    until_txn bigint NOT NULL,
    after_txn bigint NOT NULL,
    after_id bigint NOT NULL,
    parts integer NOT NULL,
    rows bigint NOT NULL,
    totals jsonb DEFAULT '{}'::jsonb NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    fetched_at timestamp with time zone,
    chased_at timestamp with time zone,
    acknowledged_by text,
    acknowledged_at timestamp with time zone,
    CONSTRAINT result_file_check CHECK ((until_txn >= from_txn)),
    CONSTRAINT result_file_state_check CHECK ((state = ANY (ARRAY['writing'::text, 'ready'::text, 'acknowledged'::text])))
);
ALTER TABLE ONLY public.result_file ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.result_file FORCE ROW LEVEL SECURITY;


ALTER TABLE public.result_file OWNER TO harai_owner;

--
-- Name: result_plan; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.result_plan (
    merchant_id uuid NOT NULL,
    every_minutes integer,
    daily_hour integer,
    charset text NOT NULL,
    next_at timestamp with time zone,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.result_plan ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.result_plan FORCE ROW LEVEL SECURITY;


ALTER TABLE public.result_plan OWNER TO harai_owner;

--
-- Name: return_token; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.return_token (
    merchant_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    attempt_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT return_token_token_hash_check CHECK ((octet_length(token_hash) = 32))
);
ALTER TABLE ONLY public.return_token ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.return_token FORCE ROW LEVEL SECURITY;


ALTER TABLE public.return_token OWNER TO harai_owner;

--
-- Name: revoked; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.revoked (
    jti uuid NOT NULL,
    merchant_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


ALTER TABLE public.revoked OWNER TO harai_owner;

--
-- Name: row_fault; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.row_fault (
    merchant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    line integer NOT NULL,
    id uuid NOT NULL,
    column_name text NOT NULL,
    code text NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    value bytea NOT NULL
);
ALTER TABLE ONLY public.row_fault ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.row_fault FORCE ROW LEVEL SECURITY;


ALTER TABLE public.row_fault OWNER TO harai_owner;

--
-- Name: sender_hold; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.sender_hold (
    merchant_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    refusals integer DEFAULT 0 NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    since timestamp with time zone,
    probe_at timestamp with time zone,
    probe_chunk uuid,
    pause_s double precision DEFAULT 0 NOT NULL,
    messages uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    asked_at timestamp with time zone
);
ALTER TABLE ONLY public.sender_hold ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.sender_hold FORCE ROW LEVEL SECURITY;


ALTER TABLE public.sender_hold OWNER TO harai_owner;

--
-- Name: slip; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.slip (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    agency text NOT NULL,
    number_key text NOT NULL,
    digits text NOT NULL,
    issue smallint NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    is_current boolean NOT NULL,
    amount_minor bigint NOT NULL,
    pay_until date NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    state_at timestamp with time zone NOT NULL,
    CONSTRAINT slip_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= 999999))),
    CONSTRAINT slip_digits_check CHECK ((digits ~ '^91[0-9]{42}$'::text)),
    CONSTRAINT slip_issue_check CHECK (((issue >= 0) AND (issue <= 9))),
    CONSTRAINT slip_state_check CHECK ((state = ANY (ARRAY['issued'::text, 'provisional'::text, 'confirmed'::text, 'voided'::text, 'expired'::text, 'replaced'::text])))
);
ALTER TABLE ONLY public.slip ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.slip FORCE ROW LEVEL SECURITY;


ALTER TABLE public.slip OWNER TO harai_owner;

--
-- Name: slip_notice; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.slip_notice (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    notice_key text NOT NULL,
    slip_id uuid,
    agency text NOT NULL,
    kind text NOT NULL,
    digits text NOT NULL,
    received_on date NOT NULL,
    received_at time without time zone,
    company_code text NOT NULL,
    store_code text NOT NULL,
    amount_minor bigint NOT NULL,
    paid_out_on date,
    counts boolean NOT NULL,
    case_kind text,
    came_by text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT slip_notice_came_by_check CHECK ((came_by = ANY (ARRAY['file'::text, 'notice'::text]))),
    CONSTRAINT slip_notice_digits_check CHECK ((digits ~ '^91[0-9]{42}$'::text)),
    CONSTRAINT slip_notice_kind_check CHECK ((kind = ANY (ARRAY['provisional'::text, 'confirmed'::text, 'reversal'::text, 'postal'::text, 'postal_correction'::text])))
);
ALTER TABLE ONLY public.slip_notice ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.slip_notice FORCE ROW LEVEL SECURITY;


ALTER TABLE public.slip_notice OWNER TO harai_owner;

--
-- Name: slip_taking; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.slip_taking (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    slip_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    taking text NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT slip_taking_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT slip_taking_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'posted'::text, 'void'::text])))
);
ALTER TABLE ONLY public.slip_taking ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.slip_taking FORCE ROW LEVEL SECURITY;


ALTER TABLE public.slip_taking OWNER TO harai_owner;

--
-- Name: slip_terms; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.slip_terms (
    merchant_id uuid NOT NULL,
    agency text NOT NULL,
    maker_code text NOT NULL,
    company_code text NOT NULL,
    amount_min integer NOT NULL,
    amount_max integer NOT NULL,
    is_public_money boolean NOT NULL,
    scans_screens boolean NOT NULL,
    days_open integer NOT NULL,
    grace_days integer NOT NULL,
    is_offered boolean NOT NULL,
    CONSTRAINT slip_terms_amounts CHECK ((((amount_min >= 1) AND (amount_min <= amount_max)) AND (amount_max <= 999999))),
    CONSTRAINT slip_terms_company_code_check CHECK ((company_code ~ '^[0-9]{5}$'::text)),
    CONSTRAINT slip_terms_days_open_check CHECK ((days_open > 0)),
    CONSTRAINT slip_terms_grace_days_check CHECK ((grace_days >= 0)),
    CONSTRAINT slip_terms_maker_code_check CHECK ((maker_code ~ '^9[0-9]{5}$'::text))
);
ALTER TABLE ONLY public.slip_terms ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.slip_terms FORCE ROW LEVEL SECURITY;


ALTER TABLE public.slip_terms OWNER TO harai_owner;

--
-- Name: staff; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.staff (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    email_blind bytea NOT NULL,
    profile bytea NOT NULL,
    secrets bytea NOT NULL,
    role text NOT NULL,
    totp_step bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT staff_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'clerk'::text])))
);
ALTER TABLE ONLY public.staff ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.staff FORCE ROW LEVEL SECURITY;


ALTER TABLE public.staff OWNER TO harai_owner;

--
-- Name: store_order; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.store_order (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    store text NOT NULL,
    redeemed_at timestamp with time zone
);
ALTER TABLE ONLY public.store_order ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.store_order FORCE ROW LEVEL SECURITY;


ALTER TABLE public.store_order OWNER TO harai_owner;

--
-- Name: task; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.task (
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    kind text NOT NULL,
    lane text NOT NULL,
    subject_id uuid NOT NULL,
    number integer NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    attempt integer DEFAULT 1 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    worker text,
    planned_at timestamp with time zone NOT NULL,
    next_at timestamp with time zone NOT NULL,
    CONSTRAINT task_lane_check CHECK ((lane = ANY (ARRAY['urgent'::text, 'bulk'::text]))),
    CONSTRAINT task_state_check CHECK ((state = ANY (ARRAY['open'::text, 'leased'::text])))
)
WITH (fillfactor='70');


ALTER TABLE public.task OWNER TO harai_owner;

--
-- Name: transfer_contract; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.transfer_contract (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bank_code text NOT NULL,
    company_code text NOT NULL,
    details bytea NOT NULL,
    record_end text NOT NULL,
    more_letters text NOT NULL,
    lines_max integer NOT NULL,
    submit_days smallint NOT NULL,
    submit_by time without time zone NOT NULL,
    line text NOT NULL,
    closed_days date[] DEFAULT '{}'::date[] NOT NULL,
    opened_days date[] DEFAULT '{}'::date[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT transfer_contract_lines_max_check CHECK (((lines_max >= 1) AND (lines_max <= 999999))),
    CONSTRAINT transfer_contract_submit_days_check CHECK ((submit_days >= 0))
);
ALTER TABLE ONLY public.transfer_contract ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.transfer_contract FORCE ROW LEVEL SECURITY;


ALTER TABLE public.transfer_contract OWNER TO harai_owner;

--
-- Name: transfer_file; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.transfer_file (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contract_id uuid NOT NULL,
    transfer_on date NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    number_ms bigint NOT NULL,
    lines integer NOT NULL,
    total_minor bigint NOT NULL,
    parts integer NOT NULL,
    size_bytes bigint NOT NULL,
    is_full boolean NOT NULL,
    place uuid,
    sha256 bytea,
    built_by text NOT NULL,
    built_at timestamp with time zone NOT NULL,
    approval_id uuid,
    approve_until timestamp with time zone,
    decided_by text,
    decided_at timestamp with time zone,
    state_at timestamp with time zone NOT NULL,
    CONSTRAINT transfer_file_lines_check CHECK ((lines >= 0)),
    CONSTRAINT transfer_file_sealed CHECK (((sha256 IS NOT NULL) OR (state = ANY (ARRAY['building'::text, 'discarded'::text])))),
    CONSTRAINT transfer_file_state_check CHECK ((state = ANY (ARRAY['building'::text, 'sealed'::text, 'approved'::text, 'sending'::text, 'accepted'::text, 'rejected'::text, 'unknown'::text, 'discarded'::text]))),
    CONSTRAINT transfer_file_total_minor_check CHECK ((total_minor >= 0))
);
ALTER TABLE ONLY public.transfer_file ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.transfer_file FORCE ROW LEVEL SECURITY;


ALTER TABLE public.transfer_file OWNER TO harai_owner;

--
-- Name: transfer_line; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.transfer_line (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    file_id uuid NOT NULL,
    line_no integer NOT NULL,
    refund_id uuid NOT NULL,
    instruction_no text NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT transfer_line_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT transfer_line_line_no_check CHECK ((line_no > 0)),
    CONSTRAINT transfer_line_state_check CHECK ((state = ANY (ARRAY['in_file'::text, 'released'::text, 'transferred'::text, 'returned'::text])))
);
ALTER TABLE ONLY public.transfer_line ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.transfer_line FORCE ROW LEVEL SECURITY;


ALTER TABLE public.transfer_line OWNER TO harai_owner;

--
-- Name: wording_tally; Type: TABLE; Schema: public; Owner: harai_owner
--

CREATE TABLE public.wording_tally (
    merchant_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    template_id uuid NOT NULL,
    on_date date NOT NULL,
    told integer NOT NULL,
    unfit integer NOT NULL
);
ALTER TABLE ONLY public.wording_tally ALTER COLUMN merchant_id SET (n_distinct=1);

ALTER TABLE ONLY public.wording_tally FORCE ROW LEVEL SECURITY;


ALTER TABLE public.wording_tally OWNER TO harai_owner;

--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: api_key api_key_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: approval approval_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: attempt attempt_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (merchant_id, id) WITH (fillfactor='50');


--
-- Name: attempt attempt_reference_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_reference_key UNIQUE (merchant_id, provider, reference) WITH (fillfactor='50');


--
-- Name: attempt_share attempt_share_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.attempt_share
    ADD CONSTRAINT attempt_share_pkey PRIMARY KEY (merchant_id, attempt_id, bill_id);


--
-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (instance, number);


--
-- Name: bill_change bill_change_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.bill_change
    ADD CONSTRAINT bill_change_pkey PRIMARY KEY (merchant_id, import_id, bill_id);


--
-- Name: bill_event bill_event_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.bill_event
    ADD CONSTRAINT bill_event_pkey PRIMARY KEY (merchant_id, bill_id, id) WITH (fillfactor='50');


--
-- Name: bill bill_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.bill
    ADD CONSTRAINT bill_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: bill_reach bill_reach_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.bill_reach
    ADD CONSTRAINT bill_reach_pkey PRIMARY KEY (merchant_id, bill_id);


--
-- Name: bill bill_request_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.bill
    ADD CONSTRAINT bill_request_key UNIQUE (merchant_id, number, contract_blind, period, kind);


--
-- Name: bill_tally bill_tally_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.bill_tally
    ADD CONSTRAINT bill_tally_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: budget budget_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.budget
    ADD CONSTRAINT budget_pkey PRIMARY KEY (holder, window_no);


--
-- Name: business_clock business_clock_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.business_clock
    ADD CONSTRAINT business_clock_pkey PRIMARY KEY (id);


--
-- Name: card_charge card_charge_attempt_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.card_charge
    ADD CONSTRAINT card_charge_attempt_key UNIQUE (merchant_id, attempt_id);


--
-- Name: card_charge card_charge_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.card_charge
    ADD CONSTRAINT card_charge_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: card_on_file card_on_file_attempt_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.card_on_file
    ADD CONSTRAINT card_on_file_attempt_key UNIQUE (merchant_id, attempt_id);


--
-- Name: card_on_file card_on_file_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.card_on_file
    ADD CONSTRAINT card_on_file_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: card_payment card_payment_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.card_payment
    ADD CONSTRAINT card_payment_pkey PRIMARY KEY (merchant_id, attempt_id);


--
-- Name: case_ case__pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.case_
    ADD CONSTRAINT case__pkey PRIMARY KEY (merchant_id, id);


--
-- Name: contact_choice contact_choice_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.contact_choice
    ADD CONSTRAINT contact_choice_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: contact_doubt contact_doubt_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.contact_doubt
    ADD CONSTRAINT contact_doubt_pkey PRIMARY KEY (merchant_id, contract_blind, contact);


--
-- Name: contact_fault contact_fault_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.contact_fault
    ADD CONSTRAINT contact_fault_pkey PRIMARY KEY (merchant_id, channel, blind);


--
-- Name: contact_verified contact_verified_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.contact_verified
    ADD CONSTRAINT contact_verified_pkey PRIMARY KEY (merchant_id, contract_blind, contact);


--
-- Name: debit_contract debit_contract_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit_contract
    ADD CONSTRAINT debit_contract_key UNIQUE (merchant_id, bank_code, collector_code);


--
-- Name: debit_contract debit_contract_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit_contract
    ADD CONSTRAINT debit_contract_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: debit_fetch debit_fetch_id_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit_fetch
    ADD CONSTRAINT debit_fetch_id_key UNIQUE (merchant_id, id);


--
-- Name: debit_fetch debit_fetch_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit_fetch
    ADD CONSTRAINT debit_fetch_pkey PRIMARY KEY (merchant_id, file_id);


--
-- Name: debit_file debit_file_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit_file
    ADD CONSTRAINT debit_file_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: debit_handover debit_handover_id_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit_handover
    ADD CONSTRAINT debit_handover_id_key UNIQUE (merchant_id, id);


--
-- Name: debit_handover debit_handover_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit_handover
    ADD CONSTRAINT debit_handover_pkey PRIMARY KEY (merchant_id, file_id);


--
-- Name: debit debit_instruction_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_instruction_key UNIQUE (merchant_id, instruction_no);


--
-- Name: debit debit_line_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_line_key UNIQUE (merchant_id, file_id, line_no);


--
-- Name: debit debit_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: debit_result debit_result_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.debit_result
    ADD CONSTRAINT debit_result_pkey PRIMARY KEY (merchant_id, sha256);


--
-- Name: delivery_chunk delivery_chunk_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.delivery_chunk
    ADD CONSTRAINT delivery_chunk_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: delivery delivery_once_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_once_key UNIQUE (merchant_id, bill_id, campaign, step, channel);


--
-- Name: delivery delivery_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: delivery_wording delivery_wording_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.delivery_wording
    ADD CONSTRAINT delivery_wording_pkey PRIMARY KEY (merchant_id, delivery_id);


--
-- Name: digital_contract digital_contract_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.digital_contract
    ADD CONSTRAINT digital_contract_pkey PRIMARY KEY (merchant_id, contract_blind);


--
-- Name: digital_event digital_event_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.digital_event
    ADD CONSTRAINT digital_event_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: dispute dispute_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.dispute
    ADD CONSTRAINT dispute_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: dispute dispute_reference_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.dispute
    ADD CONSTRAINT dispute_reference_key UNIQUE (merchant_id, attempt_id, reference);


--
-- Name: due_day due_day_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.due_day
    ADD CONSTRAINT due_day_pkey PRIMARY KEY (merchant_id);


--
-- Name: failed_file failed_file_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.failed_file
    ADD CONSTRAINT failed_file_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: failed_line failed_line_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.failed_line
    ADD CONSTRAINT failed_line_pkey PRIMARY KEY (merchant_id, file_id, record_no);


--
-- Name: file_part file_part_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.file_part
    ADD CONSTRAINT file_part_pkey PRIMARY KEY (merchant_id, file_id, part_no);


--
-- Name: funnel_tally funnel_tally_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.funnel_tally
    ADD CONSTRAINT funnel_tally_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: import_chunk import_chunk_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.import_chunk
    ADD CONSTRAINT import_chunk_pkey PRIMARY KEY (merchant_id, import_id, chunk_no);


--
-- Name: import import_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.import
    ADD CONSTRAINT import_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: journal_mark journal_mark_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.journal_mark
    ADD CONSTRAINT journal_mark_pkey PRIMARY KEY (merchant_id, provider, reference);


--
-- Name: ladder ladder_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.ladder
    ADD CONSTRAINT ladder_pkey PRIMARY KEY (merchant_id, bill_id);


--
-- Name: ladder_plan ladder_plan_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.ladder_plan
    ADD CONSTRAINT ladder_plan_pkey PRIMARY KEY (merchant_id, version);


--
-- Name: ledger_transaction ledger_cause_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.ledger_transaction
    ADD CONSTRAINT ledger_cause_key UNIQUE (merchant_id, cause_id, cause);


--
-- Name: ledger_entry ledger_entry_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.ledger_entry
    ADD CONSTRAINT ledger_entry_pkey PRIMARY KEY (merchant_id, transaction_id, line);


--
-- Name: ledger_transaction ledger_transaction_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.ledger_transaction
    ADD CONSTRAINT ledger_transaction_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: link link_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_pkey PRIMARY KEY (merchant_id, secret_hash);


--
-- Name: login_ticket login_ticket_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.login_ticket
    ADD CONSTRAINT login_ticket_pkey PRIMARY KEY (merchant_id, secret_hash);


--
-- Name: mandate_event mandate_event_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.mandate_event
    ADD CONSTRAINT mandate_event_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: mandate mandate_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.mandate
    ADD CONSTRAINT mandate_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: mandate_redirect mandate_redirect_id_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.mandate_redirect
    ADD CONSTRAINT mandate_redirect_id_key UNIQUE (merchant_id, id);


--
-- Name: mandate_redirect mandate_redirect_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.mandate_redirect
    ADD CONSTRAINT mandate_redirect_pkey PRIMARY KEY (merchant_id, mandate_id);


--
-- Name: mandate_redirect mandate_redirect_reference_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.mandate_redirect
    ADD CONSTRAINT mandate_redirect_reference_key UNIQUE (merchant_id, provider, reference);


--
-- Name: mandate_redirect mandate_redirect_token_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.mandate_redirect
    ADD CONSTRAINT mandate_redirect_token_key UNIQUE (merchant_id, token_hash);


--
-- Name: merchant_app merchant_app_name_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.merchant_app
    ADD CONSTRAINT merchant_app_name_key UNIQUE (name, provider);


--
-- Name: merchant_app merchant_app_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.merchant_app
    ADD CONSTRAINT merchant_app_pkey PRIMARY KEY (merchant_id, provider);


--
-- Name: merchant_channel merchant_channel_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.merchant_channel
    ADD CONSTRAINT merchant_channel_pkey PRIMARY KEY (merchant_id, channel, provider);


--
-- Name: merchant_code merchant_code_merchant_id_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.merchant_code
    ADD CONSTRAINT merchant_code_merchant_id_key UNIQUE (merchant_id);


--
-- Name: merchant_code merchant_code_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.merchant_code
    ADD CONSTRAINT merchant_code_pkey PRIMARY KEY (code);


--
-- Name: merchant_key merchant_key_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.merchant_key
    ADD CONSTRAINT merchant_key_pkey PRIMARY KEY (merchant_id, purpose, version);


--
-- Name: merchant merchant_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.merchant
    ADD CONSTRAINT merchant_pkey PRIMARY KEY (id);


--
-- Name: message_price message_price_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.message_price
    ADD CONSTRAINT message_price_pkey PRIMARY KEY (merchant_id, channel, provider);


--
-- Name: message_switch message_switch_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.message_switch
    ADD CONSTRAINT message_switch_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: message_template message_template_number_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.message_template
    ADD CONSTRAINT message_template_number_key UNIQUE (merchant_id, channel, language, occasion, number);


--
-- Name: message_template message_template_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.message_template
    ADD CONSTRAINT message_template_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: message_trial message_trial_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.message_trial
    ADD CONSTRAINT message_trial_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: mint_key mint_key_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.mint_key
    ADD CONSTRAINT mint_key_pkey PRIMARY KEY (kid);


--
-- Name: notice_body notice_body_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.notice_body
    ADD CONSTRAINT notice_body_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: notice notice_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (merchant_id, provider, notice_id);


--
-- Name: number_pace number_pace_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.number_pace
    ADD CONSTRAINT number_pace_pkey PRIMARY KEY (merchant_id, provider);


--
-- Name: once once_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.once
    ADD CONSTRAINT once_pkey PRIMARY KEY (merchant_id, kind, key);


--
-- Name: paper_due paper_due_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.paper_due
    ADD CONSTRAINT paper_due_pkey PRIMARY KEY (merchant_id, bill_id);


--
-- Name: paper_saved paper_saved_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.paper_saved
    ADD CONSTRAINT paper_saved_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: part_paid part_paid_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.part_paid
    ADD CONSTRAINT part_paid_pkey PRIMARY KEY (merchant_id, bill_id);


--
-- Name: pause pause_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.pause
    ADD CONSTRAINT pause_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: phone_call phone_call_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.phone_call
    ADD CONSTRAINT phone_call_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: phone_call phone_call_secret_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.phone_call
    ADD CONSTRAINT phone_call_secret_key UNIQUE (merchant_id, secret_hash);


--
-- Name: print_batch print_batch_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.print_batch
    ADD CONSTRAINT print_batch_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: print_bill print_bill_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.print_bill
    ADD CONSTRAINT print_bill_pkey PRIMARY KEY (merchant_id, batch_id, bill_id);


--
-- Name: push_delivery push_delivery_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.push_delivery
    ADD CONSTRAINT push_delivery_pkey PRIMARY KEY (merchant_id, delivery_id);


--
-- Name: push_subscription push_subscription_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.push_subscription
    ADD CONSTRAINT push_subscription_key UNIQUE (merchant_id, customer_blind, contact_blind);


--
-- Name: push_subscription push_subscription_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.push_subscription
    ADD CONSTRAINT push_subscription_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: refund_account refund_account_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.refund_account
    ADD CONSTRAINT refund_account_pkey PRIMARY KEY (merchant_id, refund_id);


--
-- Name: refund_account_try refund_account_try_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.refund_account_try
    ADD CONSTRAINT refund_account_try_pkey PRIMARY KEY (merchant_id, bill_id);


--
-- Name: refund refund_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.refund
    ADD CONSTRAINT refund_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: refund refund_reference_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.refund
    ADD CONSTRAINT refund_reference_key UNIQUE (merchant_id, provider, reference);


--
-- Name: result_event result_event_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.result_event
    ADD CONSTRAINT result_event_pkey PRIMARY KEY (merchant_id, txn, id);


--
-- Name: result_file result_file_id_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.result_file
    ADD CONSTRAINT result_file_id_key UNIQUE (merchant_id, id);


--
-- Name: result_file result_file_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.result_file
    ADD CONSTRAINT result_file_pkey PRIMARY KEY (merchant_id, number);


--
-- Name: result_plan result_plan_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.result_plan
    ADD CONSTRAINT result_plan_pkey PRIMARY KEY (merchant_id);


--
-- Name: return_token return_token_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.return_token
    ADD CONSTRAINT return_token_pkey PRIMARY KEY (merchant_id, token_hash);


--
-- Name: revoked revoked_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.revoked
    ADD CONSTRAINT revoked_pkey PRIMARY KEY (jti);


--
-- Name: row_fault row_fault_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.row_fault
    ADD CONSTRAINT row_fault_pkey PRIMARY KEY (merchant_id, import_id, line, id);


--
-- Name: sender_hold sender_hold_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.sender_hold
    ADD CONSTRAINT sender_hold_pkey PRIMARY KEY (merchant_id, channel, provider);


--
-- Name: slip_notice slip_notice_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.slip_notice
    ADD CONSTRAINT slip_notice_key UNIQUE (merchant_id, notice_key);


--
-- Name: slip_notice slip_notice_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.slip_notice
    ADD CONSTRAINT slip_notice_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: slip slip_number_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.slip
    ADD CONSTRAINT slip_number_key UNIQUE (merchant_id, number_key);


--
-- Name: slip slip_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.slip
    ADD CONSTRAINT slip_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: slip_taking slip_taking_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.slip_taking
    ADD CONSTRAINT slip_taking_key UNIQUE (merchant_id, slip_id, taking);


--
-- Name: slip_taking slip_taking_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.slip_taking
    ADD CONSTRAINT slip_taking_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: slip_terms slip_terms_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.slip_terms
    ADD CONSTRAINT slip_terms_pkey PRIMARY KEY (merchant_id);


--
-- Name: staff staff_email_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_email_key UNIQUE (merchant_id, email_blind);


--
-- Name: staff staff_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: store_order store_order_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.store_order
    ADD CONSTRAINT store_order_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: task task_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (id);


--
-- Name: transfer_contract transfer_contract_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.transfer_contract
    ADD CONSTRAINT transfer_contract_key UNIQUE (merchant_id, bank_code, company_code);


--
-- Name: transfer_contract transfer_contract_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.transfer_contract
    ADD CONSTRAINT transfer_contract_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: transfer_file transfer_file_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.transfer_file
    ADD CONSTRAINT transfer_file_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: transfer_line transfer_instruction_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.transfer_line
    ADD CONSTRAINT transfer_instruction_key UNIQUE (merchant_id, instruction_no);


--
-- Name: transfer_line transfer_line_key; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.transfer_line
    ADD CONSTRAINT transfer_line_key UNIQUE (merchant_id, file_id, line_no);


--
-- Name: transfer_line transfer_line_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.transfer_line
    ADD CONSTRAINT transfer_line_pkey PRIMARY KEY (merchant_id, id);


--
-- Name: wording_tally wording_tally_pkey; Type: CONSTRAINT; Schema: public; Owner: harai_owner
--

ALTER TABLE ONLY public.wording_tally
    ADD CONSTRAINT wording_tally_pkey PRIMARY KEY (merchant_id, chunk_id, template_id, on_date);


--
-- Name: attempt_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX attempt_bill_idx ON public.attempt USING btree (merchant_id, bill_id, id) WITH (fillfactor='50');


--
-- Name: attempt_one_live; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX attempt_one_live ON public.attempt USING btree (merchant_id, bill_id) WHERE (state = ANY (ARRAY['created'::text, 'submitting'::text, 'requires_action'::text, 'processing'::text, 'unknown'::text]));


--
-- Name: attempt_provider_ref_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX attempt_provider_ref_idx ON public.attempt USING btree (merchant_id, provider, provider_ref) WHERE (provider_ref <> ''::text);


--
-- Name: attempt_share_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX attempt_share_bill_idx ON public.attempt_share USING btree (merchant_id, bill_id, attempt_id);


--
-- Name: bill_address_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_address_idx ON public.bill USING btree (merchant_id, due_on, id) WHERE has_address;


--
-- Name: bill_amount_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_amount_idx ON public.bill USING btree (merchant_id, amount_minor, id);


--
-- Name: bill_change_held_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_change_held_idx ON public.bill_change USING btree (merchant_id, new_bill_id) WHERE ((state = ANY (ARRAY['waiting'::text, 'ready'::text])) AND (new_bill_id IS NOT NULL));


--
-- Name: bill_change_planned_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_change_planned_idx ON public.bill_change USING btree (merchant_id, import_id, bill_id) WHERE (state = 'planned'::text);


--
-- Name: bill_change_ready_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_change_ready_idx ON public.bill_change USING btree (merchant_id, import_id, bill_id) WHERE (state = 'ready'::text);


--
-- Name: bill_change_waiting_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_change_waiting_idx ON public.bill_change USING btree (merchant_id, bill_id) WHERE ((state = 'waiting'::text) AND (new_bill_id IS NOT NULL));


--
-- Name: bill_check_code_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_check_code_idx ON public.bill USING btree (merchant_id, check_code);


--
-- Name: bill_customer_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_customer_idx ON public.bill USING btree (merchant_id, customer_blind);


--
-- Name: bill_due_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_due_idx ON public.bill USING btree (merchant_id, due_on, id);


--
-- Name: bill_email_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_email_idx ON public.bill USING btree (merchant_id, email_blind);


--
-- Name: bill_import_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_import_idx ON public.bill USING btree (merchant_id, import_id, id);


--
-- Name: bill_marked_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_marked_idx ON public.bill USING btree (merchant_id, id) WHERE is_odd;


--
-- Name: bill_phone_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX bill_phone_idx ON public.bill USING btree (merchant_id, phone_blind);


--
-- Name: card_charge_attempt_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX card_charge_attempt_idx ON public.card_charge USING btree (attempt_id);


--
-- Name: card_charge_one_a_bill; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX card_charge_one_a_bill ON public.card_charge USING btree (merchant_id, bill_id) WHERE (state <> 'left_out'::text);


--
-- Name: card_on_file_active_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX card_on_file_active_idx ON public.card_on_file USING btree (merchant_id, id) WHERE (state = 'active'::text);


--
-- Name: card_on_file_attempt_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX card_on_file_attempt_idx ON public.card_on_file USING btree (attempt_id);


--
-- Name: card_on_file_contract_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX card_on_file_contract_idx ON public.card_on_file USING btree (merchant_id, contract_blind);


--
-- Name: card_on_file_one_standing; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX card_on_file_one_standing ON public.card_on_file USING btree (merchant_id, contract_blind) WHERE (state = ANY (ARRAY['active'::text, 'suspended'::text]));


--
-- Name: card_payment_attempt_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX card_payment_attempt_idx ON public.card_payment USING btree (attempt_id);


--
-- Name: case_open_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX case_open_idx ON public.case_ USING btree (merchant_id, kind, subject_id) WHERE (closed_at IS NULL);


--
-- Name: case_open_page_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX case_open_page_idx ON public.case_ USING btree (merchant_id, id) WHERE (closed_at IS NULL);


--
-- Name: contact_choice_contact_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX contact_choice_contact_idx ON public.contact_choice USING btree (merchant_id, contact, id);


--
-- Name: contact_doubt_open_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX contact_doubt_open_idx ON public.contact_doubt USING btree (merchant_id, why, at) WHERE (cleared_at IS NULL);


--
-- Name: contact_verified_contact_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX contact_verified_contact_idx ON public.contact_verified USING btree (merchant_id, contact);


--
-- Name: debit_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX debit_bill_idx ON public.debit USING btree (merchant_id, bill_id);


--
-- Name: debit_fetch_id_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX debit_fetch_id_idx ON public.debit_fetch USING btree (id);


--
-- Name: debit_file_day_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX debit_file_day_idx ON public.debit_file USING btree (merchant_id, debit_on, id);


--
-- Name: debit_file_one_a_day; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX debit_file_one_a_day ON public.debit_file USING btree (merchant_id, contract_id, debit_on) WHERE (state <> ALL (ARRAY['discarded'::text, 'rejected'::text]));


--
-- Name: debit_handover_id_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX debit_handover_id_idx ON public.debit_handover USING btree (id);


--
-- Name: delivery_chunk_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX delivery_chunk_idx ON public.delivery USING btree (merchant_id, chunk_id, id);


--
-- Name: delivery_chunk_import_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX delivery_chunk_import_idx ON public.delivery_chunk USING btree (merchant_id, import_id);


--
-- Name: delivery_id_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX delivery_id_idx ON public.delivery USING btree (id);


--
-- Name: digital_contract_state_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX digital_contract_state_idx ON public.digital_contract USING btree (merchant_id, state, since);


--
-- Name: digital_event_contract_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX digital_event_contract_idx ON public.digital_event USING btree (merchant_id, contract_blind, id);


--
-- Name: dispute_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX dispute_bill_idx ON public.dispute USING btree (merchant_id, bill_id);


--
-- Name: failed_line_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX failed_line_bill_idx ON public.failed_line USING btree (merchant_id, file_id, bill_id) WHERE (bill_id IS NOT NULL);


--
-- Name: failed_line_looked_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX failed_line_looked_idx ON public.failed_line USING btree (merchant_id, file_id, record_no) WHERE (result = ANY (ARRAY['not_owed'::text, 'unmatched'::text, 'unclear'::text]));


--
-- Name: funnel_tally_import_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX funnel_tally_import_idx ON public.funnel_tally USING btree (merchant_id, import_id);


--
-- Name: import_chunk_waits_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX import_chunk_waits_idx ON public.import_chunk USING btree (merchant_id, import_id) WHERE (waits_for <> '{}'::jsonb);


--
-- Name: ladder_next_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX ladder_next_idx ON public.ladder USING btree (merchant_id, next_at, bill_id) WHERE (next_at IS NOT NULL);


--
-- Name: ledger_entry_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX ledger_entry_bill_idx ON public.ledger_entry USING btree (merchant_id, bill_id) WITH (fillfactor='50');


--
-- Name: link_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX link_bill_idx ON public.link USING btree (merchant_id, bill_id);


--
-- Name: login_ticket_expiry_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX login_ticket_expiry_idx ON public.login_ticket USING btree (merchant_id, expires_at);


--
-- Name: mandate_contract_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX mandate_contract_idx ON public.mandate USING btree (merchant_id, contract_id, id);


--
-- Name: mandate_customer_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX mandate_customer_idx ON public.mandate USING btree (merchant_id, customer_blind);


--
-- Name: mandate_event_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX mandate_event_idx ON public.mandate_event USING btree (merchant_id, mandate_id, id);


--
-- Name: mandate_one_open; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX mandate_one_open ON public.mandate USING btree (merchant_id, customer_blind) WHERE (state <> ALL (ARRAY['revoked'::text, 'rejected'::text, 'abandoned'::text]));


--
-- Name: mandate_redirect_id_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX mandate_redirect_id_idx ON public.mandate_redirect USING btree (id);


--
-- Name: mandate_state_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX mandate_state_idx ON public.mandate USING btree (merchant_id, state, id);


--
-- Name: message_switch_running_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX message_switch_running_idx ON public.message_switch USING btree (merchant_id) WHERE (state = 'running'::text);


--
-- Name: message_template_in_force_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX message_template_in_force_idx ON public.message_template USING btree (merchant_id, channel, language, occasion) WHERE (state = 'in_force'::text);


--
-- Name: message_trial_asked_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX message_trial_asked_idx ON public.message_trial USING btree (merchant_id, asked_at);


--
-- Name: message_trial_chunk_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX message_trial_chunk_idx ON public.message_trial USING btree (merchant_id, chunk_id);


--
-- Name: message_trial_id_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX message_trial_id_idx ON public.message_trial USING btree (id);


--
-- Name: notice_received_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX notice_received_idx ON public.notice USING btree (merchant_id, received_at);


--
-- Name: notice_reference_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX notice_reference_idx ON public.notice USING btree (merchant_id, provider, reference);


--
-- Name: once_created_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX once_created_idx ON public.once USING btree (merchant_id, created_at);


--
-- Name: paper_due_reason_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX paper_due_reason_idx ON public.paper_due USING btree (merchant_id, reason, at);


--
-- Name: paper_due_waiting_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX paper_due_waiting_idx ON public.paper_due USING btree (merchant_id, bill_id) WHERE (state = 'waiting'::text);


--
-- Name: paper_saved_day_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX paper_saved_day_idx ON public.paper_saved USING btree (merchant_id, on_date);


--
-- Name: pause_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX pause_bill_idx ON public.pause USING btree (merchant_id, bill_id, id);


--
-- Name: pause_open_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX pause_open_idx ON public.pause USING btree (merchant_id, bill_id, kind) WHERE (ended_at IS NULL);


--
-- Name: phone_call_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX phone_call_bill_idx ON public.phone_call USING btree (merchant_id, bill_id);


--
-- Name: print_bill_once; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX print_bill_once ON public.print_bill USING btree (merchant_id, bill_id) WHERE (NOT is_again);


--
-- Name: push_subscription_contact_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX push_subscription_contact_idx ON public.push_subscription USING btree (merchant_id, contact_blind);


--
-- Name: refund_account_try_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX refund_account_try_idx ON public.refund_account_try USING btree (merchant_id, failed_at);


--
-- Name: refund_attempt_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX refund_attempt_idx ON public.refund USING btree (merchant_id, attempt_id);


--
-- Name: refund_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX refund_bill_idx ON public.refund USING btree (merchant_id, bill_id, id);


--
-- Name: refund_id_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX refund_id_idx ON public.refund USING btree (id);


--
-- Name: refund_waiting_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX refund_waiting_idx ON public.refund USING btree (merchant_id, id) WHERE (state = ANY (ARRAY['requested'::text, 'by_bank_transfer'::text]));


--
-- Name: result_file_waiting_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX result_file_waiting_idx ON public.result_file USING btree (merchant_id, number) WHERE (state <> 'acknowledged'::text);


--
-- Name: return_token_expiry_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX return_token_expiry_idx ON public.return_token USING btree (merchant_id, expires_at);


--
-- Name: slip_bill_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX slip_bill_idx ON public.slip USING btree (merchant_id, bill_id, issue);


--
-- Name: slip_expiry_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX slip_expiry_idx ON public.slip USING btree (merchant_id, pay_until, id) WHERE (state = ANY (ARRAY['issued'::text, 'voided'::text]));


--
-- Name: slip_notice_slip_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX slip_notice_slip_idx ON public.slip_notice USING btree (merchant_id, slip_id, id);


--
-- Name: slip_one_current; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX slip_one_current ON public.slip USING btree (merchant_id, bill_id) WHERE is_current;


--
-- Name: slip_taking_pending_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX slip_taking_pending_idx ON public.slip_taking USING btree (merchant_id, at) WHERE (state = 'pending'::text);


--
-- Name: store_order_id_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX store_order_id_idx ON public.store_order USING btree (id);


--
-- Name: task_due_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX task_due_idx ON public.task USING btree (lane, merchant_id, next_at, id);


--
-- Name: transfer_file_day_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX transfer_file_day_idx ON public.transfer_file USING btree (merchant_id, transfer_on, id);


--
-- Name: transfer_file_one_a_day; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX transfer_file_one_a_day ON public.transfer_file USING btree (merchant_id, contract_id, transfer_on) WHERE (state <> ALL (ARRAY['discarded'::text, 'rejected'::text]));


--
-- Name: transfer_line_one_living; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE UNIQUE INDEX transfer_line_one_living ON public.transfer_line USING btree (merchant_id, refund_id) WHERE (state = ANY (ARRAY['in_file'::text, 'transferred'::text]));


--
-- Name: transfer_line_refund_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX transfer_line_refund_idx ON public.transfer_line USING btree (merchant_id, refund_id, id);


--
-- Name: wording_tally_day_idx; Type: INDEX; Schema: public; Owner: harai_owner
--

CREATE INDEX wording_tally_day_idx ON public.wording_tally USING btree (merchant_id, template_id, on_date);


--
-- Name: attempt attempt_alone; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER attempt_alone AFTER INSERT ON public.attempt FOR EACH ROW WHEN ((new.state = ANY (ARRAY['created'::text, 'submitting'::text, 'requires_action'::text, 'processing'::text, 'unknown'::text]))) EXECUTE FUNCTION public.check_attempt_alone();


--
-- Name: attempt_share attempt_share_sound; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE CONSTRAINT TRIGGER attempt_share_sound AFTER INSERT ON public.attempt_share DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_attempt_share();


--
-- Name: bill bill_funnel_update; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER bill_funnel_update AFTER UPDATE ON public.bill REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tally_reach();


--
-- Name: bill bill_odd_insert; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER bill_odd_insert AFTER INSERT ON public.bill REFERENCING NEW TABLE AS new_bills FOR EACH STATEMENT EXECUTE FUNCTION public.mark_odd_bills();


--
-- Name: bill bill_odd_update; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER bill_odd_update AFTER UPDATE ON public.bill REFERENCING NEW TABLE AS new_bills FOR EACH STATEMENT EXECUTE FUNCTION public.mark_odd_bills();


--
-- Name: bill bill_results; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER bill_results AFTER UPDATE ON public.bill REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tell_results_of_bills();


--
-- Name: bill bill_tally_delete; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER bill_tally_delete AFTER DELETE ON public.bill REFERENCING OLD TABLE AS old_bills FOR EACH STATEMENT EXECUTE FUNCTION public.tally_bills();


--
-- Name: bill bill_tally_insert; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER bill_tally_insert AFTER INSERT ON public.bill REFERENCING NEW TABLE AS new_bills FOR EACH STATEMENT EXECUTE FUNCTION public.tally_bills();


--
-- Name: bill bill_tally_update; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER bill_tally_update AFTER UPDATE ON public.bill REFERENCING OLD TABLE AS old_bills NEW TABLE AS new_bills FOR EACH STATEMENT EXECUTE FUNCTION public.tally_bills();


--
-- Name: debit_file debit_file_fixed; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER debit_file_fixed BEFORE UPDATE ON public.debit_file FOR EACH ROW WHEN (((old.sha256 IS NOT NULL) AND ((new.sha256 IS DISTINCT FROM old.sha256) OR (old.lines <> new.lines) OR (old.total_minor <> new.total_minor) OR (old.debit_on <> new.debit_on) OR (old.contract_id <> new.contract_id)))) EXECUTE FUNCTION public.refuse_debit_file_change();


--
-- Name: debit debit_fixed; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER debit_fixed AFTER UPDATE ON public.debit FOR EACH ROW WHEN (((old.amount_minor <> new.amount_minor) OR (old.bill_id <> new.bill_id) OR (old.instruction_no <> new.instruction_no) OR (old.file_id <> new.file_id) OR (old.line_no <> new.line_no) OR (old.mandate_id <> new.mandate_id))) EXECUTE FUNCTION public.refuse_debit_change();


--
-- Name: delivery delivery_funnel_insert; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER delivery_funnel_insert AFTER INSERT ON public.delivery REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tally_deliveries();


--
-- Name: delivery delivery_funnel_update; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER delivery_funnel_update AFTER UPDATE ON public.delivery REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tally_deliveries();


--
-- Name: delivery delivery_results; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER delivery_results AFTER UPDATE ON public.delivery REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tell_results_of_deliveries();


--
-- Name: ledger_entry ledger_entry_append_only; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER ledger_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_ledger_change();


--
-- Name: ledger_entry ledger_entry_balance; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER ledger_entry_balance AFTER INSERT ON public.ledger_entry REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.check_ledger_balance();


--
-- Name: ledger_entry ledger_entry_results; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER ledger_entry_results AFTER INSERT ON public.ledger_entry REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tell_results_of_money();


--
-- Name: ledger_transaction ledger_transaction_append_only; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER ledger_transaction_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_transaction FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_ledger_change();


--
-- Name: print_bill print_bill_results; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER print_bill_results AFTER INSERT ON public.print_bill REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tell_results_of_paper();


--
-- Name: refund refund_fixed; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER refund_fixed BEFORE UPDATE ON public.refund FOR EACH ROW WHEN (((old.amount_minor <> new.amount_minor) OR (old.attempt_id <> new.attempt_id) OR (old.bill_id <> new.bill_id) OR (old.reference <> new.reference))) EXECUTE FUNCTION public.refuse_refund_change();


--
-- Name: refund refund_room; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER refund_room AFTER INSERT OR UPDATE ON public.refund FOR EACH ROW WHEN ((new.state = ANY (ARRAY['reserved'::text, 'submitting'::text, 'pending'::text, 'unknown'::text, 'succeeded'::text, 'by_bank_transfer'::text, 'in_transfer'::text, 'transferred'::text]))) EXECUTE FUNCTION public.check_refund_room();


--
-- Name: slip slip_fixed; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER slip_fixed BEFORE UPDATE ON public.slip FOR EACH ROW WHEN (((old.digits <> new.digits) OR (old.bill_id <> new.bill_id) OR (old.amount_minor <> new.amount_minor) OR (old.pay_until <> new.pay_until))) EXECUTE FUNCTION public.refuse_slip_change();


--
-- Name: slip_taking slip_taking_results_insert; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER slip_taking_results_insert AFTER INSERT ON public.slip_taking REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tell_results_of_takings();


--
-- Name: slip_taking slip_taking_results_update; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER slip_taking_results_update AFTER UPDATE ON public.slip_taking REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.tell_results_of_takings();


--
-- Name: transfer_file transfer_file_fixed; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER transfer_file_fixed BEFORE UPDATE ON public.transfer_file FOR EACH ROW WHEN (((old.sha256 IS NOT NULL) AND ((new.sha256 IS DISTINCT FROM old.sha256) OR (old.lines <> new.lines) OR (old.total_minor <> new.total_minor) OR (old.transfer_on <> new.transfer_on) OR (old.contract_id <> new.contract_id)))) EXECUTE FUNCTION public.refuse_transfer_file_change();


--
-- Name: transfer_line transfer_fixed; Type: TRIGGER; Schema: public; Owner: harai_owner
--

CREATE TRIGGER transfer_fixed BEFORE UPDATE ON public.transfer_line FOR EACH ROW WHEN (((old.amount_minor <> new.amount_minor) OR (old.refund_id <> new.refund_id) OR (old.instruction_no <> new.instruction_no) OR (old.file_id <> new.file_id) OR (old.line_no <> new.line_no))) EXECUTE FUNCTION public.refuse_transfer_change();


--
-- Name: api_key; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.api_key ENABLE ROW LEVEL SECURITY;

--
-- Name: approval; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.approval ENABLE ROW LEVEL SECURITY;

--
-- Name: attempt; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.attempt ENABLE ROW LEVEL SECURITY;

--
-- Name: attempt_share; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.attempt_share ENABLE ROW LEVEL SECURITY;

--
-- Name: bill; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.bill ENABLE ROW LEVEL SECURITY;

--
-- Name: bill_change; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.bill_change ENABLE ROW LEVEL SECURITY;

--
-- Name: bill_event; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.bill_event ENABLE ROW LEVEL SECURITY;

--
-- Name: bill_reach; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.bill_reach ENABLE ROW LEVEL SECURITY;

--
-- Name: bill_tally; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.bill_tally ENABLE ROW LEVEL SECURITY;

--
-- Name: card_charge; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.card_charge ENABLE ROW LEVEL SECURITY;

--
-- Name: card_on_file; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.card_on_file ENABLE ROW LEVEL SECURITY;

--
-- Name: card_payment; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.card_payment ENABLE ROW LEVEL SECURITY;

--
-- Name: case_; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.case_ ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_choice; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.contact_choice ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_doubt; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.contact_doubt ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_fault; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.contact_fault ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_verified; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.contact_verified ENABLE ROW LEVEL SECURITY;

--
-- Name: debit; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.debit ENABLE ROW LEVEL SECURITY;

--
-- Name: debit_contract; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.debit_contract ENABLE ROW LEVEL SECURITY;

--
-- Name: debit_fetch; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.debit_fetch ENABLE ROW LEVEL SECURITY;

--
-- Name: debit_file; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.debit_file ENABLE ROW LEVEL SECURITY;

--
-- Name: debit_handover; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.debit_handover ENABLE ROW LEVEL SECURITY;

--
-- Name: debit_result; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.debit_result ENABLE ROW LEVEL SECURITY;

--
-- Name: delivery; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.delivery ENABLE ROW LEVEL SECURITY;

--
-- Name: delivery_chunk; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.delivery_chunk ENABLE ROW LEVEL SECURITY;

--
-- Name: delivery_wording; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.delivery_wording ENABLE ROW LEVEL SECURITY;

--
-- Name: mandate_redirect deposit_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY deposit_by_id ON public.mandate_redirect FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'deposit_mandate_word'::text));


--
-- Name: digital_contract; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.digital_contract ENABLE ROW LEVEL SECURITY;

--
-- Name: digital_event; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.digital_event ENABLE ROW LEVEL SECURITY;

--
-- Name: dispute; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.dispute ENABLE ROW LEVEL SECURITY;

--
-- Name: due_day; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.due_day ENABLE ROW LEVEL SECURITY;

--
-- Name: failed_file; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.failed_file ENABLE ROW LEVEL SECURITY;

--
-- Name: failed_line; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.failed_line ENABLE ROW LEVEL SECURITY;

--
-- Name: file_part; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.file_part ENABLE ROW LEVEL SECURITY;

--
-- Name: funnel_tally; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.funnel_tally ENABLE ROW LEVEL SECURITY;

--
-- Name: import; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.import ENABLE ROW LEVEL SECURITY;

--
-- Name: import_chunk; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.import_chunk ENABLE ROW LEVEL SECURITY;

--
-- Name: journal_mark; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.journal_mark ENABLE ROW LEVEL SECURITY;

--
-- Name: debit_fetch keep_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY keep_by_id ON public.debit_fetch FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'keep_debit_result'::text));


--
-- Name: ladder; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.ladder ENABLE ROW LEVEL SECURITY;

--
-- Name: ladder_plan; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.ladder_plan ENABLE ROW LEVEL SECURITY;

--
-- Name: ledger_entry; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.ledger_entry ENABLE ROW LEVEL SECURITY;

--
-- Name: ledger_transaction; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.ledger_transaction ENABLE ROW LEVEL SECURITY;

--
-- Name: link; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.link ENABLE ROW LEVEL SECURITY;

--
-- Name: login_ticket; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.login_ticket ENABLE ROW LEVEL SECURITY;

--
-- Name: mandate; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.mandate ENABLE ROW LEVEL SECURITY;

--
-- Name: mandate_event; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.mandate_event ENABLE ROW LEVEL SECURITY;

--
-- Name: mandate_redirect; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.mandate_redirect ENABLE ROW LEVEL SECURITY;

--
-- Name: merchant; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.merchant ENABLE ROW LEVEL SECURITY;

--
-- Name: merchant_app; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.merchant_app ENABLE ROW LEVEL SECURITY;

--
-- Name: merchant_channel; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.merchant_channel ENABLE ROW LEVEL SECURITY;

--
-- Name: merchant_key; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.merchant_key ENABLE ROW LEVEL SECURITY;

--
-- Name: api_key merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.api_key USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: approval merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.approval USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: attempt merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.attempt USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: attempt_share merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.attempt_share USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: bill merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.bill USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: bill_change merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.bill_change USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: bill_event merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.bill_event USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: bill_reach merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.bill_reach USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: bill_tally merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.bill_tally USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: card_charge merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.card_charge USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: card_on_file merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.card_on_file USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: card_payment merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.card_payment USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: case_ merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.case_ USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: contact_choice merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.contact_choice USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: contact_doubt merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.contact_doubt USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: contact_fault merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.contact_fault USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: contact_verified merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.contact_verified USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: debit merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.debit USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: debit_contract merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.debit_contract USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: debit_fetch merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.debit_fetch USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: debit_file merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.debit_file USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: debit_handover merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.debit_handover USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: debit_result merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.debit_result USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: delivery merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.delivery USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: delivery_chunk merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.delivery_chunk USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: delivery_wording merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.delivery_wording USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: digital_contract merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.digital_contract USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: digital_event merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.digital_event USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: dispute merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.dispute USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: due_day merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.due_day USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: failed_file merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.failed_file USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: failed_line merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.failed_line USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: file_part merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.file_part USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: funnel_tally merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.funnel_tally USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: import merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.import USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: import_chunk merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.import_chunk USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: journal_mark merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.journal_mark USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: ladder merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.ladder USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: ladder_plan merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.ladder_plan USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: ledger_entry merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.ledger_entry USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: ledger_transaction merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.ledger_transaction USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: link merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.link USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: login_ticket merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.login_ticket USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: mandate merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.mandate USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: mandate_event merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.mandate_event USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: mandate_redirect merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.mandate_redirect USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: merchant merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.merchant USING ((id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: merchant_app merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.merchant_app USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: merchant_channel merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.merchant_channel USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: merchant_key merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.merchant_key USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: message_price merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.message_price USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: message_switch merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.message_switch USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: message_template merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.message_template USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: message_trial merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.message_trial USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: notice merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.notice USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: notice_body merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.notice_body USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: number_pace merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.number_pace USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: once merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.once USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: paper_due merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.paper_due USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: paper_saved merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.paper_saved USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: part_paid merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.part_paid USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: pause merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.pause USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: phone_call merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.phone_call USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: print_batch merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.print_batch USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: print_bill merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.print_bill USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: push_delivery merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.push_delivery USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: push_subscription merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.push_subscription USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: refund merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.refund USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: refund_account merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.refund_account USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: refund_account_try merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.refund_account_try USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: result_event merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.result_event USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: result_file merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.result_file USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: result_plan merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.result_plan USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: return_token merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.return_token USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: row_fault merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.row_fault USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: sender_hold merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.sender_hold USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: slip merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.slip USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: slip_notice merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.slip_notice USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: slip_taking merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.slip_taking USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: slip_terms merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.slip_terms USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: staff merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.staff USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: store_order merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.store_order USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: transfer_contract merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.transfer_contract USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: transfer_file merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.transfer_file USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: transfer_line merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.transfer_line USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: wording_tally merchant_only; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY merchant_only ON public.wording_tally USING ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting))) WITH CHECK ((merchant_id = ( SELECT (current_setting('harai.merchant'::text))::uuid AS current_setting)));


--
-- Name: message_price; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.message_price ENABLE ROW LEVEL SECURITY;

--
-- Name: message_switch; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.message_switch ENABLE ROW LEVEL SECURITY;

--
-- Name: message_template; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.message_template ENABLE ROW LEVEL SECURITY;

--
-- Name: message_trial; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.message_trial ENABLE ROW LEVEL SECURITY;

--
-- Name: notice; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.notice ENABLE ROW LEVEL SECURITY;

--
-- Name: notice_body; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.notice_body ENABLE ROW LEVEL SECURITY;

--
-- Name: number_pace; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.number_pace ENABLE ROW LEVEL SECURITY;

--
-- Name: once; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.once ENABLE ROW LEVEL SECURITY;

--
-- Name: paper_due; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.paper_due ENABLE ROW LEVEL SECURITY;

--
-- Name: paper_saved; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.paper_saved ENABLE ROW LEVEL SECURITY;

--
-- Name: part_paid; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.part_paid ENABLE ROW LEVEL SECURITY;

--
-- Name: pause; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.pause ENABLE ROW LEVEL SECURITY;

--
-- Name: phone_call; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.phone_call ENABLE ROW LEVEL SECURITY;

--
-- Name: print_batch; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.print_batch ENABLE ROW LEVEL SECURITY;

--
-- Name: print_bill; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.print_bill ENABLE ROW LEVEL SECURITY;

--
-- Name: push_delivery; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.push_delivery ENABLE ROW LEVEL SECURITY;

--
-- Name: push_subscription; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.push_subscription ENABLE ROW LEVEL SECURITY;

--
-- Name: card_charge redeem_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY redeem_by_id ON public.card_charge FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'redeem_instrument'::text));


--
-- Name: card_on_file redeem_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY redeem_by_id ON public.card_on_file FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'redeem_instrument'::text));


--
-- Name: card_payment redeem_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY redeem_by_id ON public.card_payment FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'redeem_instrument'::text));


--
-- Name: debit_handover redeem_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY redeem_by_id ON public.debit_handover FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'redeem_debit_file'::text));


--
-- Name: delivery redeem_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY redeem_by_id ON public.delivery FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'redeem_deliveries'::text));


--
-- Name: message_trial redeem_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY redeem_by_id ON public.message_trial FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'redeem_deliveries'::text));


--
-- Name: refund redeem_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY redeem_by_id ON public.refund FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'redeem_refund'::text));


--
-- Name: store_order redeem_by_id; Type: POLICY; Schema: public; Owner: harai_owner
--

CREATE POLICY redeem_by_id ON public.store_order FOR SELECT USING ((( SELECT current_setting('harai.crossing'::text, true) AS current_setting) = 'redeem_payer'::text));


--
-- Name: refund; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.refund ENABLE ROW LEVEL SECURITY;

--
-- Name: refund_account; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.refund_account ENABLE ROW LEVEL SECURITY;

--
-- Name: refund_account_try; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.refund_account_try ENABLE ROW LEVEL SECURITY;

--
-- Name: result_event; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.result_event ENABLE ROW LEVEL SECURITY;

--
-- Name: result_file; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.result_file ENABLE ROW LEVEL SECURITY;

--
-- Name: result_plan; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.result_plan ENABLE ROW LEVEL SECURITY;

--
-- Name: return_token; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.return_token ENABLE ROW LEVEL SECURITY;

--
-- Name: row_fault; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.row_fault ENABLE ROW LEVEL SECURITY;

--
-- Name: sender_hold; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.sender_hold ENABLE ROW LEVEL SECURITY;

--
-- Name: slip; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.slip ENABLE ROW LEVEL SECURITY;

--
-- Name: slip_notice; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.slip_notice ENABLE ROW LEVEL SECURITY;

--
-- Name: slip_taking; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.slip_taking ENABLE ROW LEVEL SECURITY;

--
-- Name: slip_terms; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.slip_terms ENABLE ROW LEVEL SECURITY;

--
-- Name: staff; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.staff ENABLE ROW LEVEL SECURITY;

--
-- Name: store_order; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.store_order ENABLE ROW LEVEL SECURITY;

--
-- Name: transfer_contract; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.transfer_contract ENABLE ROW LEVEL SECURITY;

--
-- Name: transfer_file; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.transfer_file ENABLE ROW LEVEL SECURITY;

--
-- Name: transfer_line; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.transfer_line ENABLE ROW LEVEL SECURITY;

--
-- Name: wording_tally; Type: ROW SECURITY; Schema: public; Owner: harai_owner
--

ALTER TABLE public.wording_tally ENABLE ROW LEVEL SECURITY;

--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: pg_database_owner
--

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO harai_migrate;
GRANT USAGE ON SCHEMA public TO harai_vault;


--
-- Name: TABLE api_key; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.api_key TO harai_vault;


--
-- Name: TABLE approval; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.approval TO harai_vault;


--
-- Name: TABLE attempt; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.attempt TO harai_vault;


--
-- Name: TABLE attempt_share; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.attempt_share TO harai_vault;


--
-- Name: TABLE audit; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.audit TO harai_vault;


--
-- Name: TABLE bill; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bill TO harai_vault;


--
-- Name: TABLE bill_change; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bill_change TO harai_vault;


--
-- Name: TABLE bill_event; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.bill_event TO harai_vault;


--
-- Name: TABLE bill_reach; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.bill_reach TO harai_vault;


--
-- Name: TABLE bill_tally; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.bill_tally TO harai_vault;


--
-- Name: TABLE budget; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.budget TO harai_vault;


--
-- Name: TABLE business_clock; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,UPDATE ON TABLE public.business_clock TO harai_vault;


--
-- Name: TABLE card_charge; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.card_charge TO harai_vault;


--
-- Name: TABLE card_on_file; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.card_on_file TO harai_vault;


--
-- Name: TABLE card_payment; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.card_payment TO harai_vault;


--
-- Name: TABLE case_; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.case_ TO harai_vault;


--
-- Name: TABLE contact_choice; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.contact_choice TO harai_vault;


--
-- Name: TABLE contact_doubt; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.contact_doubt TO harai_vault;


--
-- Name: TABLE contact_fault; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.contact_fault TO harai_vault;


--
-- Name: TABLE contact_verified; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.contact_verified TO harai_vault;


--
-- Name: TABLE debit; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.debit TO harai_vault;


--
-- Name: TABLE debit_contract; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.debit_contract TO harai_vault;


--
-- Name: COLUMN debit_contract.closed_days; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(closed_days) ON TABLE public.debit_contract TO harai_vault;


--
-- Name: COLUMN debit_contract.opened_days; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(opened_days) ON TABLE public.debit_contract TO harai_vault;


--
-- Name: TABLE debit_fetch; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.debit_fetch TO harai_vault;


--
-- Name: TABLE debit_file; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.debit_file TO harai_vault;


--
-- Name: TABLE debit_handover; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.debit_handover TO harai_vault;


--
-- Name: TABLE debit_result; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.debit_result TO harai_vault;


--
-- Name: TABLE delivery; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.delivery TO harai_vault;


--
-- Name: TABLE delivery_chunk; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery_chunk TO harai_vault;


--
-- Name: TABLE delivery_wording; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.delivery_wording TO harai_vault;


--
-- Name: TABLE digital_contract; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.digital_contract TO harai_vault;


--
-- Name: TABLE digital_event; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.digital_event TO harai_vault;


--
-- Name: TABLE dispute; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.dispute TO harai_vault;


--
-- Name: TABLE due_day; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.due_day TO harai_vault;


--
-- Name: TABLE failed_file; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.failed_file TO harai_vault;


--
-- Name: TABLE failed_line; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.failed_line TO harai_vault;


--
-- Name: TABLE file_part; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.file_part TO harai_vault;


--
-- Name: TABLE funnel_tally; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.funnel_tally TO harai_vault;


--
-- Name: TABLE import; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.import TO harai_vault;


--
-- Name: TABLE import_chunk; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.import_chunk TO harai_vault;


--
-- Name: TABLE journal_mark; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.journal_mark TO harai_vault;


--
-- Name: TABLE ladder; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ladder TO harai_vault;


--
-- Name: TABLE ladder_plan; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.ladder_plan TO harai_vault;


--
-- Name: TABLE ledger_entry; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.ledger_entry TO harai_vault;


--
-- Name: TABLE ledger_transaction; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.ledger_transaction TO harai_vault;


--
-- Name: TABLE link; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.link TO harai_vault;


--
-- Name: TABLE login_ticket; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.login_ticket TO harai_vault;


--
-- Name: TABLE mandate; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.mandate TO harai_vault;


--
-- Name: TABLE mandate_event; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.mandate_event TO harai_vault;


--
-- Name: TABLE mandate_redirect; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.mandate_redirect TO harai_vault;


--
-- Name: TABLE merchant; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.lapse_after_days; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(lapse_after_days) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.wallet_provider; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(wallet_provider) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.refund_limit_minor; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(refund_limit_minor) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.promise_days_max; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(promise_days_max) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.extension_days_max; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(extension_days_max) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.charge_days_before; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(charge_days_before) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.part_least_minor; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(part_least_minor) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.transfer_text; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(transfer_text) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.number_provider; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(number_provider) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.number_hours; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(number_hours) ON TABLE public.merchant TO harai_vault;


--
-- Name: COLUMN merchant.card_policy; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT UPDATE(card_policy) ON TABLE public.merchant TO harai_vault;


--
-- Name: TABLE merchant_app; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.merchant_app TO harai_vault;


--
-- Name: TABLE merchant_channel; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.merchant_channel TO harai_vault;


--
-- Name: TABLE merchant_code; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.merchant_code TO harai_vault;


--
-- Name: TABLE merchant_key; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.merchant_key TO harai_vault;


--
-- Name: TABLE message_price; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.message_price TO harai_vault;


--
-- Name: TABLE message_switch; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.message_switch TO harai_vault;


--
-- Name: TABLE message_template; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.message_template TO harai_vault;


--
-- Name: TABLE message_trial; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.message_trial TO harai_vault;


--
-- Name: TABLE mint_key; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.mint_key TO harai_vault;


--
-- Name: TABLE notice; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.notice TO harai_vault;


--
-- Name: TABLE notice_body; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.notice_body TO harai_vault;


--
-- Name: TABLE number_pace; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.number_pace TO harai_vault;


--
-- Name: TABLE once; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.once TO harai_vault;


--
-- Name: TABLE paper_due; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.paper_due TO harai_vault;


--
-- Name: TABLE paper_saved; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.paper_saved TO harai_vault;


--
-- Name: TABLE part_paid; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.part_paid TO harai_vault;


--
-- Name: TABLE pause; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.pause TO harai_vault;


--
-- Name: TABLE phone_call; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.phone_call TO harai_vault;


--
-- Name: TABLE print_batch; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.print_batch TO harai_vault;


--
-- Name: TABLE print_bill; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.print_bill TO harai_vault;


--
-- Name: TABLE push_delivery; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.push_delivery TO harai_vault;


--
-- Name: TABLE push_subscription; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.push_subscription TO harai_vault;


--
-- Name: TABLE refund; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.refund TO harai_vault;


--
-- Name: TABLE refund_account; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.refund_account TO harai_vault;


--
-- Name: TABLE refund_account_try; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.refund_account_try TO harai_vault;


--
-- Name: TABLE result_event; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.result_event TO harai_vault;


--
-- Name: TABLE result_file; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.result_file TO harai_vault;


--
-- Name: TABLE result_plan; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.result_plan TO harai_vault;


--
-- Name: TABLE return_token; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.return_token TO harai_vault;


--
-- Name: TABLE revoked; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.revoked TO harai_vault;


--
-- Name: TABLE row_fault; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE public.row_fault TO harai_vault;


--
-- Name: TABLE sender_hold; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sender_hold TO harai_vault;


--
-- Name: TABLE slip; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.slip TO harai_vault;


--
-- Name: TABLE slip_notice; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT ON TABLE public.slip_notice TO harai_vault;


--
-- Name: TABLE slip_taking; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.slip_taking TO harai_vault;


--
-- Name: TABLE slip_terms; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.slip_terms TO harai_vault;


--
-- Name: TABLE staff; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff TO harai_vault;


--
-- Name: TABLE store_order; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.store_order TO harai_vault;


--
-- Name: TABLE task; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.task TO harai_vault;


--
-- Name: TABLE transfer_contract; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.transfer_contract TO harai_vault;


--
-- Name: TABLE transfer_file; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.transfer_file TO harai_vault;


--
-- Name: TABLE transfer_line; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.transfer_line TO harai_vault;


--
-- Name: TABLE wording_tally; Type: ACL; Schema: public; Owner: harai_owner
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.wording_tally TO harai_vault;


--
-- PostgreSQL database dump complete
--

\unrestrict harai

