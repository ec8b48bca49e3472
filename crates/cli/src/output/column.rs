//! Which fields of which kind of object make a table.

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub heading: &'static str,
    /// The field of the wire object.
    pub field: &'static str,
}

impl Column {
    /// Whether its values are prose, which may be broken into lines. References, ids and moments
    /// stay in one piece, so that they can be copied.
    pub fn is_prose(&self) -> bool {
        matches!(
            self.field,
            "label" | "description" | "prompt" | "reason" | "message" | "error" | "input"
        )
    }
}

/// A kind of object that comes in lists.
#[derive(Clone, Copy, Debug)]
pub struct Noun {
    /// What several of them are called.
    pub plural: &'static str,
    /// The columns of their table.
    pub columns: &'static [Column],
}

const fn column(heading: &'static str, field: &'static str) -> Column {
    Column { heading, field }
}

/// Actions.
pub const ACTIONS: Noun = Noun {
    plural: "actions",
    columns: &[
        column("REF", "ref"),
        column("RUNTIME", "runtime_ref"),
        column("LABEL", "label"),
        column("DESCRIPTION", "description"),
    ],
};

/// Rules.
pub const RULES: Noun = Noun {
    plural: "rules",
    columns: &[
        column("REF", "ref"),
        column("ENABLED", "enabled"),
        column("TRIGGER", "trigger_ref"),
        column("ACTION", "action_ref"),
        column("LABEL", "label"),
    ],
};

/// Triggers.
pub const TRIGGERS: Noun = Noun {
    plural: "triggers",
    columns: &[
        column("REF", "ref"),
        column("ENABLED", "enabled"),
        column("WEBHOOK", "webhook_enabled"),
        column("LABEL", "label"),
        column("DESCRIPTION", "description"),
    ],
};

/// Events.
pub const EVENTS: Noun = Noun {
    plural: "events",
    columns: &[
        column("ID", "id"),
        column("TRIGGER", "trigger_ref"),
        column("SOURCE", "source_ref"),
        column("RULE", "rule_ref"),
        column("CREATED", "created"),
    ],
};

/// Executions.
pub const EXECUTIONS: Noun = Noun {
    plural: "executions",
    columns: &[
        column("ID", "id"),
        column("STATUS", "status"),
        column("ACTION", "action_ref"),
        column("RULE", "rule_ref"),
        column("PARENT", "parent"),
        column("CREATED", "created"),
    ],
};

/// Inquiries.
pub const INQUIRIES: Noun = Noun {
    plural: "inquiries",
    columns: &[
        column("ID", "id"),
        column("STATUS", "status"),
        column("EXECUTION", "execution"),
        column("ASSIGNEE", "assigned_to"),
        column("UNTIL", "timeout_at"),
        column("PROMPT", "prompt"),
    ],
};

/// Dead letters.
pub const DEAD_LETTERS: Noun = Noun {
    plural: "dead letters",
    columns: &[
        column("QUEUE", "queue"),
        column("ID", "id"),
        column("RECEIVES", "receives"),
        column("DIED", "died_at"),
        column("REASON", "reason"),
    ],
};

/// Packs.
pub const PACKS: Noun = Noun {
    plural: "packs",
    columns: &[
        column("REF", "ref"),
        column("VERSION", "version"),
        column("LABEL", "label"),
        column("DESCRIPTION", "description"),
    ],
};

/// Policies.
pub const POLICIES: Noun = Noun {
    plural: "policies",
    columns: &[
        column("REF", "ref"),
        column("ENABLED", "enabled"),
        column("SCOPE", "scope"),
        column("ACTION", "action_ref"),
        column("PACK", "pack_ref"),
        column("METHOD", "method"),
        column("LIMIT", "threshold"),
    ],
};

/// Keys.
pub const KEYS: Noun = Noun {
    plural: "keys",
    columns: &[
        column("REF", "ref"),
        column("OWNER TYPE", "owner_type"),
        column("OWNER", "owner"),
        column("NAME", "name"),
        column("ENCRYPTED", "encrypted"),
    ],
};

/// Workflows.
pub const WORKFLOWS: Noun = Noun {
    plural: "workflows",
    columns: &[
        column("REF", "ref"),
        column("VERSION", "version"),
        column("LABEL", "label"),
        column("DESCRIPTION", "description"),
    ],
};

/// Tasks of an execution of a workflow.
pub const TASKS: Noun = Noun {
    plural: "tasks",
    columns: &[
        column("TASK", "name"),
        column("STATUS", "status"),
        column("ACTION", "action_ref"),
        column("VISITS", "visits"),
        column("RETRIES", "retries"),
        column("ITEMS", "progress"),
        column("STARTED", "started_at"),
        column("ENDED", "ended_at"),
        column("ERROR", "error"),
    ],
};

/// What a line says about a task that has changed.
pub const TASK_CHANGE: [Column; 4] = [
    column("TASK", "name"),
    column("STATUS", "status"),
    column("ACTION", "action_ref"),
    column("ITEMS", "progress"),
];

/// Problems of a file.
pub const PROBLEMS: Noun = Noun {
    plural: "problems",
    columns: &[
        column("PLACE", "place"),
        column("SEVERITY", "severity"),
        column("FIELD", "field"),
        column("MESSAGE", "message"),
    ],
};

/// What happens in a rehearsal.
pub const HAPPENINGS: Noun = Noun {
    plural: "executions",
    columns: &[
        column("SECOND", "at"),
        column("TASK", "task"),
        column("EVENT", "event"),
        column("ACTION", "action"),
        column("INPUT", "input"),
    ],
};

/// What came of a pack's tests.
pub const TESTS: Noun = Noun {
    plural: "tests",
    columns: &[
        column("TEST", "name"),
        column("STATUS", "status"),
        column("REASON", "errorMessage"),
    ],
};

/// What came of a pack's rehearsals.
pub const VERDICTS: Noun = Noun {
    plural: "rehearsals",
    columns: &[
        column("FILE", "file"),
        column("WORKFLOW", "workflow"),
        column("VERDICT", "verdict"),
        column("REASON", "reason"),
    ],
};
