//! The generated document against the contract, in a table of our own.

use std::collections::BTreeSet;

/// Every operation, with its operation id.
const OPERATIONS: &str = "
    get    /health                                                 health
    get    /health/detailed                                        health_detailed
    get    /health/ready                                           readiness
    get    /health/live                                            liveness
    post   /auth/register                                          register
    post   /auth/login                                             login
    post   /auth/refresh                                           refresh_token
    post   /auth/change-password                                   change_password
    get    /auth/me                                                get_current_user
    put    /auth/me                                                update_current_user
    get    /auth/settings                                          auth_settings
    get    /api/v1/packs                                           list_packs
    post   /api/v1/packs                                           create_pack
    post   /api/v1/packs/register                                  register_pack
    post   /api/v1/packs/upload                                    upload_pack
    get    /api/v1/packs/id/{id}                                   get_pack_by_id
    get    /api/v1/packs/{ref}                                     get_pack
    put    /api/v1/packs/{ref}                                     update_pack
    delete /api/v1/packs/{ref}                                     delete_pack
    post   /api/v1/packs/{ref}/test                                test_pack
    get    /api/v1/packs/{ref}/tests                               get_pack_test_history
    get    /api/v1/packs/{ref}/tests/latest                        get_pack_latest_test
    get    /api/v1/packs/{pack_ref}/actions                        list_actions_by_pack
    get    /api/v1/packs/{pack_ref}/triggers                       list_triggers_by_pack
    get    /api/v1/packs/{pack_ref}/rules                          list_rules_by_pack
    get    /api/v1/packs/{pack_ref}/sensors                        list_sensors_by_pack
    post   /api/v1/uploads                                         create_upload
    put    /api/v1/uploads/{id}                                    receive_upload
    get    /api/v1/actions                                         list_actions
    post   /api/v1/actions                                         create_action
    get    /api/v1/actions/search                                  search_actions
    get    /api/v1/actions/id/{id}                                 get_action_by_id
    get    /api/v1/actions/{ref}                                   get_action
    put    /api/v1/actions/{ref}                                   update_action
    delete /api/v1/actions/{ref}                                   delete_action
    get    /api/v1/actions/{action_ref}/rules                      list_rules_by_action
    get    /api/v1/workflows                                       list_workflows
    post   /api/v1/workflows                                       create_workflow
    get    /api/v1/workflows/{ref}                                 get_workflow
    put    /api/v1/workflows/{ref}                                 update_workflow
    delete /api/v1/workflows/{ref}                                 delete_workflow
    put    /api/v1/workflows/{ref}/file                            update_workflow_file
    post   /api/v1/workflows/{ref}/execute                         execute_workflow
    post   /api/v1/workflows/{ref}/validate                        validate_workflow
    get    /api/v1/packs/{pack_ref}/workflows                      list_workflows_by_pack
    post   /api/v1/packs/{pack_ref}/workflow-files                 save_workflow_file
    post   /api/v1/packs/{ref}/workflows/sync                      sync_pack_workflows
    post   /api/v1/packs/{ref}/workflows/validate                  validate_pack_workflows
    get    /api/v1/triggers                                        list_triggers
    post   /api/v1/triggers                                        create_trigger
    get    /api/v1/triggers/enabled                                list_enabled_triggers
    get    /api/v1/triggers/id/{id}                                get_trigger_by_id
    get    /api/v1/triggers/{ref}                                  get_trigger
    put    /api/v1/triggers/{ref}                                  update_trigger
    delete /api/v1/triggers/{ref}                                  delete_trigger
    post   /api/v1/triggers/{ref}/enable                           enable_trigger
    post   /api/v1/triggers/{ref}/disable                          disable_trigger
    get    /api/v1/triggers/{trigger_ref}/rules                    list_rules_by_trigger
    get    /api/v1/triggers/{trigger_ref}/sensors                  list_sensors_by_trigger
    post   /api/v1/triggers/{ref}/webhooks/enable                  enable_webhook
    post   /api/v1/triggers/{ref}/webhooks/disable                 disable_webhook
    post   /api/v1/triggers/{ref}/webhooks/regenerate              regenerate_webhook_key
    get    /api/v1/sensors                                         list_sensors
    post   /api/v1/sensors                                         create_sensor
    get    /api/v1/sensors/enabled                                 list_enabled_sensors
    get    /api/v1/sensors/id/{id}                                 get_sensor_by_id
    get    /api/v1/sensors/{ref}                                   get_sensor
    put    /api/v1/sensors/{ref}                                   update_sensor
    delete /api/v1/sensors/{ref}                                   delete_sensor
    post   /api/v1/sensors/{ref}/enable                            enable_sensor
    post   /api/v1/sensors/{ref}/disable                           disable_sensor
    get    /api/v1/rules                                           list_rules
    post   /api/v1/rules                                           create_rule
    get    /api/v1/rules/enabled                                   list_enabled_rules
    get    /api/v1/rules/id/{id}                                   get_rule_by_id
    get    /api/v1/rules/{ref}                                     get_rule
    put    /api/v1/rules/{ref}                                     update_rule
    delete /api/v1/rules/{ref}                                     delete_rule
    post   /api/v1/rules/{ref}/enable                              enable_rule
    post   /api/v1/rules/{ref}/disable                             disable_rule
    get    /api/v1/policies                                        list_policies
    post   /api/v1/policies                                        create_policy
    get    /api/v1/policies/{ref}                                  get_policy
    put    /api/v1/policies/{ref}                                  update_policy
    delete /api/v1/policies/{ref}                                  delete_policy
    post   /api/v1/policies/{ref}/enable                           enable_policy
    post   /api/v1/policies/{ref}/disable                          disable_policy
    get    /api/v1/permissions/sets                                list_permission_sets
    post   /api/v1/webhooks/{webhook_key}                          receive_webhook
    get    /api/v1/events                                          list_events
    post   /api/v1/events                                          create_event
    get    /api/v1/events/{id}                                     get_event
    get    /api/v1/enforcements                                    list_enforcements
    get    /api/v1/enforcements/{id}                               get_enforcement
    get    /api/v1/enforcements/{id}/executions                    list_enforcement_executions
    get    /api/v1/executions                                      list_executions
    get    /api/v1/executions/stats                                get_execution_stats
    get    /api/v1/executions/stream                               stream_executions
    get    /api/v1/executions/status/{status}                      list_executions_by_status
    get    /api/v1/executions/enforcement/{enforcement_id}         list_executions_by_enforcement
    get    /api/v1/executions/{id}                                 get_execution
    get    /api/v1/executions/{id}/children                        list_children
    get    /api/v1/executions/{id}/logs                            get_logs
    get    /api/v1/executions/{id}/logs/{stream}                   get_log
    get    /api/v1/executions/{id}/logs/{stream}/stream            stream_log
    post   /api/v1/executions/{id}/cancel                          cancel_execution
    post   /api/v1/executions/execute                              execute
    post   /api/v1/actions/{ref}/execute                           execute_action
    get    /api/v1/actions/{ref}/queue-stats                       get_queue_stats
    get    /api/v1/workflow-executions                             list_workflow_executions
    get    /api/v1/workflow-executions/{id}                        get_workflow_execution
    get    /api/v1/workflow-executions/{id}/tasks                  list_workflow_execution_tasks
    get    /api/v1/workflow-executions/{id}/graph                  get_workflow_execution_graph
    get    /api/v1/workflow-executions/{id}/context                get_workflow_execution_context
    post   /api/v1/workflow-executions/{id}/pause                  pause_workflow_execution
    post   /api/v1/workflow-executions/{id}/resume                 resume_workflow_execution
    post   /api/v1/workflow-executions/{id}/cancel                 cancel_workflow_execution
    post   /api/v1/workflow-executions/{id}/retry                  retry_workflow_execution
    get    /api/v1/inquiries                                       list_inquiries
    post   /api/v1/inquiries                                       create_inquiry
    get    /api/v1/inquiries/stream                                stream_inquiries
    get    /api/v1/inquiries/status/{status}                       list_inquiries_by_status
    get    /api/v1/inquiries/{id}                                  get_inquiry
    put    /api/v1/inquiries/{id}                                  update_inquiry
    delete /api/v1/inquiries/{id}                                  delete_inquiry
    post   /api/v1/inquiries/{id}/respond                          respond_to_inquiry
    post   /api/v1/inquiries/{id}/link                             create_approval_link
    get    /api/v1/executions/{execution_id}/inquiries             list_inquiries_by_execution
    get    /approve                                                show_approval
    post   /approve                                                submit_approval
    get    /api/v1/keys                                            list_keys
    post   /api/v1/keys                                            create_key
    get    /api/v1/keys/{ref}                                      get_key
    put    /api/v1/keys/{ref}                                      update_key
    delete /api/v1/keys/{ref}                                      delete_key
    get    /api/v1/dead-letters                                    list_dead_letters
    post   /api/v1/dead-letters/{queue}/redrive                    redrive_dead_letters
    delete /api/v1/dead-letters/{queue}                            purge_dead_letters
    get    /api/v1/dead-letters/{queue}/{id}                       get_dead_letter
    delete /api/v1/dead-letters/{queue}/{id}                       purge_dead_letter
";

/// Schemas that clients are generated from, with their fields.
const SCHEMAS: &str = "
    ApiResponse_EventResponse: data message
    ApiResponse_ExecutionResponse: data message
    ChangePasswordRequest: current_password new_password
    CurrentUserResponse: assigned_permission_set_refs auth_provider can_change_password display_name \
        effective_permissions id is_local login
    EffectivePermissionResponse: actions resource
    EnforcementResponse: condition conditions config created event id payload resolved_at rule rule_ref \
        status trigger_ref
    EnforcementSummary: condition created event id rule rule_ref status trigger_ref
    EventResponse: config created id payload rule rule_ref source source_ref trigger trigger_ref
    EventSummary: created has_payload id rule rule_ref source source_ref trigger trigger_ref
    ExecutionResponse: action action_ref artifact_retention_limit artifact_retention_policy config created \
        enforcement executor id original_execution parent permission_set_refs result started_at status \
        updated worker worker_affinity worker_selector worker_tolerations workflow_task
    ExecutionSummary: action_ref created enforcement id original_execution parent rule_ref started_at \
        status trigger_ref updated workflow_task
    HealthResponse: database status version
    InquiryRespondRequest: response
    InquiryResponse: assigned_to created execution id prompt responded_at responded_by response \
        response_schema status timeout_at updated
    InquirySummary: assigned_to created execution has_response id prompt status timeout_at
    CreateKeyRequest: encrypted name owner owner_action owner_action_ref owner_identity owner_pack \
        owner_pack_ref owner_sensor owner_sensor_ref owner_type ref value
    KeyResponse: created encrypted id name owner owner_action owner_action_ref owner_identity owner_pack \
        owner_pack_ref owner_sensor owner_sensor_ref owner_type ref updated value
    KeySummary: created encrypted id name owner owner_type ref
    UpdateKeyRequest: encrypted name value
    LoginRequest: login password
    PaginatedResponse_EnforcementSummary: data pagination
    PaginatedResponse_EventSummary: data pagination
    PaginatedResponse_ExecutionSummary: data pagination
    PaginatedResponse_InquirySummary: data pagination
    PaginationMeta: has_next has_previous next_cursor page page_size total_items total_pages
    QueueStatsResponse: action_id action_ref active_count last_updated max_concurrent oldest_enqueued_at \
        queue_length total_completed total_enqueued
    RefreshTokenRequest: refresh_token
    RegisterRequest: display_name login password
    SuccessResponse: message success
    TokenResponse: access_token expires_in refresh_token token_type user
    UserInfo: display_name id login
    PackInstallResponse: pack test_result tests_skipped
    PackTestExecution: created durationMs executionTime failed id packId packVersion passRate passed result skipped \
        totalTests triggerReason
    PackTestResult: durationMs executionTime failed packRef packVersion passRate passed skipped status testSuites \
        totalTests
    TestCaseResult: durationMs errorMessage name status stderr stdout
    TestSuiteResult: durationMs failed name passed runnerType skipped testCases total
    PackWorkflowSyncResponse: errors loaded_count pack_ref registered_count workflows
    PackWorkflowValidationResponse: error_count errors pack_ref validated_count
    RetryWorkflowRequest: from_task parameters
    WorkflowContextResponse: parameters results vars
    WorkflowGraph: edges nodes
    WorkflowRun: definition failed_tasks fault started_at status steps
    WorkflowTaskResponse: action_ref branch_of ended_at error executions items name retries started_at status visits
    WorkflowSummary: created description id label pack_ref ref tags updated version
    WorkflowSyncResult: created ref_name warnings workflow_def_id
    WebhookReceiverRequest: headers payload source_ip user_agent
    WebhookReceiverResponse: event_id message received_at trigger_ref
";

/// Operations that need no token.
const PUBLIC: &str = "
    auth_settings health health_detailed liveness login readiness receive_webhook refresh_token register show_approval \
    submit_approval
";

#[test]
fn every_operation_and_no_other_is_documented() {
    let expected: BTreeSet<_> = OPERATIONS
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    let document = serde_json::to_value(attune_api::openapi()).unwrap();
    let mut found = BTreeSet::new();
    let mut public = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(found.insert(format!("{method} {path} {id}")));
            if !operation["security"].is_array() {
                public.insert(id);
            }
        }
    }
    let missing: Vec<_> = expected.difference(&found).collect();
    let unheard_of: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && unheard_of.is_empty(), "{missing:?}, {unheard_of:?}");
    assert_eq!(public, PUBLIC.split_whitespace().collect());
}

#[test]
fn every_schema_has_its_name_and_fields() {
    let document = serde_json::to_value(attune_api::openapi()).unwrap();
    let schemas = &document["components"]["schemas"];
    for line in SCHEMAS.lines().filter(|line| !line.trim().is_empty()) {
        let (name, fields) = line.trim().split_once(": ").unwrap();
        let expected: BTreeSet<_> = fields.split_whitespace().collect();
        let Some(properties) = schemas[name]["properties"].as_object() else {
            panic!(
                "{name} is missing among {:?}",
                schemas.as_object().map(|all| all.keys().collect::<Vec<_>>())
            )
        };
        let found: BTreeSet<_> = properties.keys().map(String::as_str).collect();
        assert_eq!(found, expected, "{name}");
    }
    for (name, words) in [
        (
            "ExecutionStatus",
            "requested scheduling scheduled running completed failed canceling cancelled timeout abandoned",
        ),
        ("EnforcementStatus", "created processed disabled"),
        ("InquiryStatus", "pending responded timeout cancelled"),
        ("EnforcementCondition", "any all"),
    ] {
        let found: Vec<_> = schemas[name]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|word| word.as_str())
            .collect();
        assert_eq!(found.join(" "), words, "{name}");
    }
}
