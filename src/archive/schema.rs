//! The tables, as both databases have them. `migrations/` creates them; a change there is a change
//! here.

diesel::table! {
    sites (id) {
        id -> Text,
        name -> Text,
        site_key -> Text,
        allowed_origins -> Text,
        identity_secret -> Text,
        knowledge_version -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        site_id -> Text,
        role -> Text,
        email -> Nullable<Text>,
        external_iss -> Nullable<Text>,
        external_sub -> Nullable<Text>,
        display_name -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    refresh_tokens (id) {
        id -> Text,
        family_id -> Text,
        principal_id -> Text,
        site_id -> Text,
        role -> Text,
        token_hash -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    password_resets (user_id) {
        user_id -> Text,
        token_hash -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        site_id -> Text,
        name -> Text,
        prefix -> Text,
        key_hash -> Text,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        site_id -> Text,
        owner_id -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        last_seq -> BigInt,
        state -> Text,
        controller -> Text,
        epoch -> BigInt,
        locale -> Text,
        open_turn_id -> Nullable<Text>,
        owner_replica -> Nullable<Text>,
        owner_epoch -> BigInt,
        head -> Text,
        page_context -> Nullable<Text>,
        handoff_id -> Nullable<Text>,
    }
}

diesel::table! {
    erased_sessions (session_id) {
        session_id -> Text,
        owner -> Text,
        erased_at -> BigInt,
    }
}

diesel::table! {
    replicas (id) {
        id -> Text,
        build -> BigInt,
        seen_at -> BigInt,
        looked_at -> BigInt,
    }
}

diesel::table! {
    events (session_id, seq) {
        session_id -> Text,
        seq -> BigInt,
        turn_id -> Text,
        kind -> Text,
        epoch -> BigInt,
        at -> BigInt,
        payload -> Text,
    }
}

diesel::table! {
    messages (id) {
        id -> Text,
        session_id -> Text,
        seq -> BigInt,
        turn_id -> Text,
        role -> Text,
        text -> Text,
        status -> Text,
        created_at -> BigInt,
        route -> Nullable<Text>,
        citations -> Text,
        client_message_id -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency (session_id, idempotency_key) {
        session_id -> Text,
        idempotency_key -> Text,
        body_hash -> Text,
        turn_id -> Text,
    }
}

diesel::table! {
    documents (site_id, external_id) {
        site_id -> Text,
        external_id -> Text,
        version -> BigInt,
        content_hash -> Text,
        title -> Text,
        format -> Text,
        body -> Text,
        tags -> Text,
        audience -> Nullable<Text>,
        locale -> Nullable<Text>,
        url -> Nullable<Text>,
        status -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    chunks (site_id, external_id, ordinal) {
        site_id -> Text,
        external_id -> Text,
        ordinal -> BigInt,
        heading -> Text,
        text -> Text,
        embedder -> Text,
        vector -> Binary,
    }
}

diesel::table! {
    feedback (message_id) {
        message_id -> Text,
        session_id -> Text,
        site_id -> Text,
        principal_id -> Text,
        rating -> Text,
        comment -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    audit (id) {
        id -> Text,
        site_id -> Text,
        actor_id -> Text,
        actor_role -> Text,
        action -> Text,
        target -> Text,
        detail -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    guard_decisions (id) {
        id -> Text,
        site_id -> Text,
        session_id -> Text,
        turn_id -> Text,
        rule -> Text,
        action -> Text,
        sentence -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    actions (id) {
        id -> Text,
        site_id -> Text,
        session_id -> Text,
        owner_id -> Text,
        turn_id -> Text,
        tool -> Text,
        arguments -> Text,
        hash -> Text,
        effect -> Text,
        language -> Text,
        signed_in -> Bool,
        proposed_at -> BigInt,
        expires_at -> BigInt,
        state -> Text,
        decision -> Nullable<Text>,
        decided_turn_id -> Nullable<Text>,
        decided_at -> Nullable<BigInt>,
        replica -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
        tries -> BigInt,
        leased_until -> BigInt,
        approval -> Bool,
        reviewer_id -> Nullable<Text>,
        reviewed_at -> Nullable<BigInt>,
        undoes -> Nullable<Text>,
    }
}

diesel::table! {
    step_ups (session_id) {
        session_id -> Text,
        subject -> Text,
        challenge -> Text,
        tool -> Text,
        arguments -> Text,
        tries_left -> BigInt,
        expires_at -> BigInt,
        holds_until -> BigInt,
    }
}

diesel::table! {
    handoffs (id) {
        id -> Text,
        site_id -> Text,
        session_id -> Text,
        owner_id -> Text,
        reason -> Text,
        locale -> Text,
        state -> Text,
        requested_at -> BigInt,
        accepted_at -> Nullable<BigInt>,
        agent_id -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
        urgent -> Bool,
        ended_to -> Nullable<Text>,
    }
}

diesel::table! {
    notes (id) {
        id -> Text,
        session_id -> Text,
        site_id -> Text,
        author_id -> Text,
        author_name -> Nullable<Text>,
        idempotency_key -> Text,
        text -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    tags (session_id, tag) {
        session_id -> Text,
        tag -> Text,
    }
}

diesel::table! {
    presence (agent_id) {
        agent_id -> Text,
        site_id -> Text,
        state -> Text,
        capacity -> BigInt,
        seen_at -> BigInt,
    }
}

diesel::table! {
    tickets (id) {
        id -> Text,
        site_id -> Text,
        session_id -> Text,
        seq -> BigInt,
        created_at -> BigInt,
        answered_at -> Nullable<BigInt>,
        attempts -> BigInt,
        leased_until -> BigInt,
    }
}

diesel::table! {
    modes (name) {
        name -> Text,
        value -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    customer_erasures (customer_id) {
        customer_id -> Text,
        site_id -> Text,
        requested_at -> BigInt,
        archive_at -> Nullable<BigInt>,
        replicas_at -> Nullable<BigInt>,
        cache_at -> Nullable<BigInt>,
        erased_at -> Nullable<BigInt>,
        accounts -> BigInt,
        refresh_tokens -> BigInt,
        sessions -> BigInt,
        events -> BigInt,
        messages -> BigInt,
        idempotency -> BigInt,
        feedback -> BigInt,
        tickets -> BigInt,
        audit -> BigInt,
        identity -> Nullable<Text>,
    }
}

diesel::table! {
    probes (id) {
        id -> Text,
        written_at -> BigInt,
    }
}

diesel::table! {
    assistant_versions (site_id, version) {
        site_id -> Text,
        version -> BigInt,
        document -> Text,
        note -> Text,
        created_by -> Text,
        created_at -> BigInt,
        replaced -> Nullable<BigInt>,
    }
}

diesel::table! {
    active_assistants (site_id) {
        site_id -> Text,
        version -> BigInt,
        activated_at -> BigInt,
    }
}

diesel::table! {
    assistant_tests (site_id) {
        site_id -> Text,
        conversations -> Text,
    }
}

diesel::table! {
    site_tools (site_id, name) {
        site_id -> Text,
        name -> Text,
        enabled -> Bool,
        declaration -> Nullable<Text>,
        changed_by -> Text,
        changed_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(active_assistants, assistant_versions);
diesel::allow_tables_to_appear_in_same_query!(handoffs, presence);
diesel::allow_tables_to_appear_in_same_query!(handoffs, sessions);
diesel::allow_tables_to_appear_in_same_query!(handoffs, users);
