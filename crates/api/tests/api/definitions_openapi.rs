//! The generated document about definitions against the contract, in a table of our own.

/// Operations with their operation ids: those of one path in the order get, post, put, delete.
const OPERATIONS: &str = "
    /packs                                  list_packs create_pack - -
    /packs/register                         - register_pack - -
    /packs/upload                           - upload_pack - -
    /packs/id/{id}                          get_pack_by_id - - -
    /packs/{ref}                            get_pack - update_pack delete_pack
    /packs/{pack_ref}/actions               list_actions_by_pack - - -
    /packs/{pack_ref}/triggers              list_triggers_by_pack - - -
    /packs/{pack_ref}/rules                 list_rules_by_pack - - -
    /packs/{pack_ref}/sensors               list_sensors_by_pack - - -
    /actions                                list_actions create_action - -
    /actions/search                         search_actions - - -
    /actions/id/{id}                        get_action_by_id - - -
    /actions/{ref}                          get_action - update_action delete_action
    /actions/{action_ref}/rules             list_rules_by_action - - -
    /triggers                               list_triggers create_trigger - -
    /triggers/enabled                       list_enabled_triggers - - -
    /triggers/id/{id}                       get_trigger_by_id - - -
    /triggers/{ref}                         get_trigger - update_trigger delete_trigger
    /triggers/{ref}/enable                  - enable_trigger - -
    /triggers/{ref}/disable                 - disable_trigger - -
    /triggers/{trigger_ref}/rules           list_rules_by_trigger - - -
    /triggers/{trigger_ref}/sensors         list_sensors_by_trigger - - -
    /triggers/{ref}/webhooks/enable         - enable_webhook - -
    /triggers/{ref}/webhooks/disable        - disable_webhook - -
    /triggers/{ref}/webhooks/regenerate     - regenerate_webhook_key - -
    /sensors                                list_sensors create_sensor - -
    /sensors/enabled                        list_enabled_sensors - - -
    /sensors/id/{id}                        get_sensor_by_id - - -
    /sensors/{ref}                          get_sensor - update_sensor delete_sensor
    /sensors/{ref}/enable                   - enable_sensor - -
    /sensors/{ref}/disable                  - disable_sensor - -
    /rules                                  list_rules create_rule - -
    /rules/enabled                          list_enabled_rules - - -
    /rules/id/{id}                          get_rule_by_id - - -
    /rules/{ref}                            get_rule - update_rule delete_rule
    /rules/{ref}/enable                     - enable_rule - -
    /rules/{ref}/disable                    - disable_rule - -
    /policies                               list_policies create_policy - -
    /policies/{ref}                         get_policy - update_policy delete_policy
    /policies/{ref}/enable                  - enable_policy - -
    /policies/{ref}/disable                 - disable_policy - -
    /permissions/sets                       list_permission_sets - - -
";

#[test]
fn every_operation_on_definitions_is_documented() {
    let document = serde_json::to_value(attune_api::openapi()).unwrap();
    for line in OPERATIONS.lines().filter(|line| !line.trim().is_empty()) {
        let mut columns = line.split_whitespace();
        let path = format!("/api/v1{}", columns.next().unwrap());
        for (method, id) in ["get", "post", "put", "delete"].into_iter().zip(columns) {
            let operation = &document["paths"][&path][method];
            assert_eq!(operation["operationId"].as_str().unwrap_or("-"), id, "{method} {path}");
            assert_eq!(operation["security"].is_array(), id != "-", "{method} {path}");
        }
    }
}
