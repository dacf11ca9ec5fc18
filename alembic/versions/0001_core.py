"""core: merchants, keys, staff, authorities, tasks, audit, budgets, cases, files

Revision ID: 0001
Revises:
"""

from rls import grant, protect, script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables that every stage builds on."""
    script("""
        create table merchant (
            id uuid primary key,
            code text not null,
            name text not null,
            zone text not null,
            sms_sender text not null,
            sms_provider text not null,
            card_provider text not null,
            phone text not null,
            website text not null,
            created_at timestamptz not null
        );
        alter table merchant enable row level security;
        alter table merchant force row level security;
        create policy merchant_only on merchant
            using (id = (select current_setting('harai.merchant')::uuid))
            with check (id = (select current_setting('harai.merchant')::uuid));

        create table merchant_code (
            code text primary key check (code ~ '^[a-z0-9]{3,12}$'),
            merchant_id uuid not null unique
        );

        create table merchant_key (
            merchant_id uuid not null,
            purpose text not null,
            version integer not null,
            wrapped bytea not null,
            active_from timestamptz not null,
            primary key (merchant_id, purpose, version)
        );

        create table mint_key (
            kid integer primary key,
            wrapped bytea not null,
            created_at timestamptz not null,
            retired_at timestamptz
        );

        create table staff (
            merchant_id uuid not null,
            id uuid not null,
            email_blind bytea not null,
            profile bytea not null,
            secrets bytea not null,
            role text not null check (role in ('owner', 'clerk')),
            totp_step bigint not null default 0,
            failures integer not null default 0,
            locked_until timestamptz,
            created_at timestamptz not null,
            primary key (merchant_id, id),
            constraint staff_email_key unique (merchant_id, email_blind)
        );

        create table login_ticket (
            merchant_id uuid not null,
            secret_hash bytea not null,
            staff_id uuid not null,
            expires_at timestamptz not null,
            used_at timestamptz,
            primary key (merchant_id, secret_hash)
        );

        create table api_key (
            merchant_id uuid not null,
            id uuid not null,
            name text not null,
            scopes text[] not null,
            created_by text not null,
            created_at timestamptz not null,
            expires_at timestamptz not null,
            revoked_at timestamptz,
            last_used_at timestamptz,
            primary key (merchant_id, id)
        );

        create table revoked (
            jti uuid primary key,
            merchant_id uuid not null,
            expires_at timestamptz not null
        );

        create table task (
            id uuid primary key,
            merchant_id uuid not null,
            kind text not null,
            lane text not null check (lane in ('urgent', 'bulk')),
            subject_id uuid not null,
            number integer not null,
            state text not null default 'open' check (state in ('open', 'leased')),
            attempt integer not null default 1,
            tries integer not null default 0,
            worker text,
            planned_at timestamptz not null,
            next_at timestamptz not null
        ) with (fillfactor = 70);
        create index task_due_idx on task (lane, merchant_id, next_at, id);

        create table once (
            merchant_id uuid not null,
            kind text not null,
            key text not null,
            arguments bytea not null,
            answer bytea,
            created_at timestamptz not null,
            primary key (merchant_id, kind, key)
        );

        create table audit (
            instance text not null,
            number bigint not null check (number > 0),
            at timestamptz not null,
            merchant_id uuid,
            caller text not null,
            kind text not null,
            subject uuid not null,
            jti uuid not null,
            operation text not null,
            outcome text not null,
            rows integer not null,
            digest bytea not null,
            primary key (instance, number)
        );

        create table budget (
            holder text not null,
            window_no bigint not null,
            used bigint not null,
            expires_at timestamptz not null,
            primary key (holder, window_no)
        );

        create table case_ (
            merchant_id uuid not null,
            id uuid not null,
            kind text not null,
            subject_id uuid not null,
            params jsonb not null,
            seen integer not null default 1,
            opened_at timestamptz not null,
            closed_at timestamptz,
            closed_by text,
            resolution text,
            primary key (merchant_id, id)
        );
        create unique index case_open_idx on case_ (merchant_id, kind, subject_id)
            where closed_at is null;

        create table approval (
            merchant_id uuid not null,
            id uuid not null,
            kind text not null,
            content bytea not null,
            asked_by text not null,
            asked_at timestamptz not null,
            expires_at timestamptz not null,
            approved_by text,
            approved_at timestamptz,
            used_at timestamptz,
            primary key (merchant_id, id),
            check (approved_by <> asked_by)
        );

        create table file_part (
            merchant_id uuid not null,
            file_id uuid not null,
            part_no integer not null,
            size_bytes integer not null check (size_bytes between 1 and 1048576),
            fingerprint bytea not null,
            sealed bytea not null,
            stored_at timestamptz not null,
            primary key (merchant_id, file_id, part_no)
        );
        alter table file_part alter column sealed set storage external;

        create table business_clock (
            id integer primary key check (id = 1),
            offset_s double precision not null default 0
        );
        insert into business_clock (id) values (1);
    """)
    merchants_own = (
        ("merchant_key", ("select", "insert")),
        ("staff", ("select", "insert", "update")),
        ("login_ticket", ("select", "insert", "update", "delete")),
        ("api_key", ("select", "insert", "update")),
        ("once", ("select", "insert", "update", "delete")),
        ("case_", ("select", "insert", "update")),
        ("approval", ("select", "insert", "update")),
        ("file_part", ("select", "insert", "delete")),
    )
    for table, privileges in merchants_own:
        protect(table)
        grant(table, *privileges)
    grant("merchant", "select", "insert")
    # Process-wide tables: ids, codes and counters only.
    grant("merchant_code", "select", "insert")
    grant("mint_key", "select", "insert", "update")
    grant("revoked", "select", "insert", "delete")
    grant("task", "select", "insert", "update", "delete")
    grant("audit", "select", "insert")
    grant("budget", "select", "insert", "update", "delete")
    grant("business_clock", "select", "update")
