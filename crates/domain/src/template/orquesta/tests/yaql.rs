//! What YAQL comes to.

use super::{assert_all, yaql};
use serde_json::json;

#[test]
fn operators_of_yaql_are_those_of_yaql() {
    assert_all(
        yaql,
        &[
            ("1 + 2 * 3 - 4", json!(3)),
            ("(1 + 2) * 3", json!(9)),
            ("7 / 2", json!(3)),
            ("-7 / 2", json!(-4)),
            ("7.0 / 2", json!(3.5)),
            ("7 mod 3", json!(1)),
            ("-7 mod 3", json!(2)),
            ("7 mod -3", json!(-2)),
            ("5.5 mod 2", json!(1.5)),
            ("-ctx().n", json!(-7)),
            ("+ctx().n", json!(7)),
            ("- 3", json!(-3)),
            ("ctx().n = 7", json!(true)),
            ("ctx().n != 7", json!(false)),
            ("3 = 3.0", json!(true)),
            ("ctx().nothing = null", json!(true)),
            ("1 < 2", json!(true)),
            ("2 <= 1", json!(false)),
            ("'b' > 'a'", json!(true)),
            ("2 >= 2", json!(true)),
            ("2 in ctx().xs", json!(true)),
            ("9 not in ctx().xs", json!(true)),
            ("not 9 in ctx().xs", json!(true)),
            ("'d' in ctx().name", json!(true)),
            ("not ctx().no", json!(true)),
            ("not not 1", json!(true)),
            ("true and false or true", json!(true)),
            ("not 1 = 2 and 2 = 2", json!(true)),
            ("ctx().name + ' ' + 'L'", json!("Ada L")),
            ("[1] + [2, [3]]", json!([1, 2, [3]])),
            ("{a => 1} + {b => 2, a => 3}", json!({"a": 3, "b": 2})),
            ("ctx().name =~ '^A'", json!(true)),
            ("ctx().name !~ `\\d`", json!(true)),
            ("'a1' =~ `\\d`", json!(true)),
        ],
    );
}

#[test]
fn literals_of_yaql_are_those_of_yaql() {
    assert_all(
        yaql,
        &[
            ("null", json!(null)),
            ("true", json!(true)),
            ("1.5", json!(1.5)),
            ("1e3", json!(1000.0)),
            ("'it\\'s'", json!("it's")),
            ("\"q\"", json!("q")),
            ("`a\\n\\`b`", json!("a\\n`b")),
            ("running", json!("running")),
            ("ctx().name = Ada", json!(true)),
            ("task_status(build) = succeeded", json!(true)),
            ("task_status(build) in [failed, expired]", json!(false)),
            ("[]", json!([])),
            ("[1, two, ctx().n]", json!([1, "two", 7])),
            ("{}", json!({})),
            ("{a => 1, 'b c' => [ctx().n]}", json!({"a": 1, "b c": [7]})),
            ("dict(a => ctx().n, b => dict())", json!({"a": 7, "b": {}})),
            ("dict([[a, 1], [b, 2]])", json!({"a": 1, "b": 2})),
            ("list(1, [2])", json!([1, [2]])),
            ("list(range(3), 9)", json!([0, 1, 2, 9])),
            ("list()", json!([])),
        ],
    );
}

#[test]
fn members_of_yaql_may_have_a_default() {
    assert_all(
        yaql,
        &[
            ("ctx().pair.get(a)", json!(1)),
            ("ctx().pair.get(z)", json!(null)),
            ("ctx().pair.get(z, 5)", json!(5)),
            ("ctx().pair.get(z, default => 5)", json!(5)),
            ("ctx().pair[z, 6]", json!(6)),
            ("ctx().pair[a]", json!(1)),
            ("ctx().nothing?.a", json!(null)),
            ("ctx().pair?.a", json!(1)),
            ("ctx().nothing?.a?.b", json!(null)),
            ("ctx().get(absent, 1)", json!(1)),
            ("coalesce(ctx().nothing, null, 3, 1 / 0)", json!(3)),
            ("coalesce(null)", json!(null)),
            ("switch(ctx().n > 9 => big, ctx().n > 5 => middle, true => 1 / 0)", json!("middle")),
            ("switch(false => 1)", json!(null)),
            ("switch(ctx().yes => coalesce(null, ctx().n))", json!(7)),
        ],
    );
}

#[test]
fn functions_of_text_work_as_functions_and_as_methods() {
    assert_all(
        yaql,
        &[
            ("len('äb')", json!(2)),
            ("ctx().name.len()", json!(3)),
            ("ctx().name.toLower()", json!("ada")),
            ("toUpper(ctx().name)", json!("ADA")),
            ("' a '.trim()", json!("a")),
            ("'xax'.trim(x)", json!("a")),
            ("'xax'.trimLeft(x)", json!("ax")),
            ("'xax'.trimRight(x)", json!("xa")),
            ("ctx().text.split(',')", json!(["a", "b", "", "c"])),
            ("ctx().text.split(',', 1)", json!(["a", "b,,c"])),
            ("' a  b c'.split()", json!(["a", "b", "c"])),
            ("' a  b c'.split(null, 1)", json!(["a", "b c"])),
            ("ctx().names.join('-')", json!("b-a-b")),
            ("','.join([1, null, true])", json!("1,null,true")),
            ("'aXa'.replace(a, b)", json!("bXb")),
            ("'hello'.substring(1, 3)", json!("ell")),
            ("'hello'.substring(-2)", json!("lo")),
            ("'hello'.startsWith(he)", json!(true)),
            ("'hello'.endsWith(he)", json!(false)),
            ("'hällo'.indexOf(l)", json!(2)),
            ("'hello'.lastIndexOf(l)", json!(3)),
            ("'hello'.indexOf(z)", json!(-1)),
            ("ab.toCharArray()", json!(["a", "b"])),
            ("concat(a, b, c)", json!("abc")),
            ("format('{0}-{1}-{0}', 1, b)", json!("1-b-1")),
            ("'{} {{}} {}'.format(a, [1])", json!("a {} [1]")),
            ("'a1b2'.matches(`\\d`)", json!(true)),
            ("regex_match(ab, b)", json!(false)),
            ("regex_search(ab, b)", json!(true)),
            ("regex_replace('a-b', `(\\w)-(\\w)`, `\\2\\1`)", json!("ba")),
            ("regex_substring('a1b22', `\\d+`, 1)", json!("22")),
            ("basename('/a/b.txt')", json!("b.txt")),
            ("dirname('/a/b.txt')", json!("/a")),
            ("dirname('/b')", json!("/")),
            ("''.isEmpty()", json!(true)),
        ],
    );
}

#[test]
fn functions_of_types_and_numbers_convert_as_yaql_does() {
    assert_all(
        yaql,
        &[
            ("int('12') + 1", json!(13)),
            ("int(2.9)", json!(2)),
            ("int(null)", json!(0)),
            ("float('1.5')", json!(1.5)),
            ("float(2)", json!(2.0)),
            ("bool('')", json!(false)),
            ("str(1) + str(null) + str(true)", json!("1nulltrue")),
            ("isString(ctx().name)", json!(true)),
            ("isNumber(ctx().name)", json!(false)),
            ("isInteger(1.5)", json!(false)),
            ("isBoolean(false)", json!(true)),
            ("isList([])", json!(true)),
            ("isDict([])", json!(false)),
            ("isEmpty(ctx().nothing)", json!(true)),
            ("abs(-3)", json!(3)),
            ("round(2.6)", json!(3)),
            ("pow(2, 8)", json!(256)),
            ("max(1, 3, 2)", json!(3)),
            ("ctx().xs.min()", json!(1)),
            ("range(3)", json!([0, 1, 2])),
            ("range(1, 3)", json!([1, 2])),
            ("range(5, 0, -2)", json!([5, 3, 1])),
            ("range(0, 5, 2)", json!([0, 2, 4])),
            ("range(3, 1)", json!([])),
            ("json('{\"a\": [1]}').a", json!([1])),
            ("from_json_string('3')", json!(3)),
            ("to_json_string({a => [1]})", json!("{\"a\":[1]}")),
            ("json_escape('a\"b')", json!("a\\\"b")),
        ],
    );
}

#[test]
fn functions_of_lists_and_objects_answer_as_in_yaql() {
    assert_all(
        yaql,
        &[
            ("len(ctx().xs)", json!(3)),
            ("ctx().pair.len()", json!(2)),
            ("ctx().xs.first()", json!(3)),
            ("ctx().xs.last()", json!(2)),
            ("[].first(0)", json!(0)),
            ("[].last(default => 0)", json!(0)),
            ("[4].single()", json!(4)),
            ("ctx().xs.sum()", json!(6)),
            ("ctx().xs.count()", json!(3)),
            ("ctx().names.distinct()", json!(["b", "a"])),
            ("ctx().xs.contains(1)", json!(true)),
            ("ctx().xs.append(4, 5)", json!([3, 1, 2, 4, 5])),
            ("ctx().xs.reverse()", json!([2, 1, 3])),
            ("[1, [2, [3, []]]].flatten()", json!([1, 2, 3])),
            ("ctx().xs.take(2)", json!([3, 1])),
            ("ctx().xs.skip(2)", json!([2])),
            ("ctx().xs.slice(2)", json!([[3, 1], [2]])),
            ("ctx().names.enumerate(1)", json!([[1, "b"], [2, "a"], [3, "b"]])),
            ("ctx().names.indexOf(b)", json!(0)),
            ("ctx().names.lastIndexOf(b)", json!(2)),
            ("[1].concat([2], [3])", json!([1, 2, 3])),
            ("zip([1, 2], [3], pad => 0)", json!([[1, 3], [2, 0]])),
            ("[1, 2].zip([3])", json!([[1, 3]])),
            ("[1, 2].zipLongest([3])", json!([[1, 3], [2, null]])),
            ("zip([])", json!([])),
            ("ctx().pair.keys()", json!(["a", "b"])),
            ("values(ctx().pair)", json!([1, 2])),
            ("ctx().pair.items()", json!([["a", 1], ["b", 2]])),
            ("ctx().pair.keys().toList()", json!(["a", "b"])),
            ("ctx().pair.set(c, 3)", json!({"a": 1, "b": 2, "c": 3})),
            ("ctx().pair.set(a => 9)", json!({"a": 9, "b": 2})),
            ("ctx().pair.set({b => 8})", json!({"a": 1, "b": 8})),
            ("ctx().pair.delete(a, z)", json!({"b": 2})),
            ("ctx().pair.containsKey(a)", json!(true)),
            ("ctx().pair.containsValue(3)", json!(false)),
            (
                "{a => {x => 1}, l => [1]}.mergeWith({a => {y => 2}, l => [1, 2], n => 0})",
                json!({"a": {"x": 1, "y": 2}, "l": [1, 2], "n": 0}),
            ),
        ],
    );
}

#[test]
fn functions_of_elements_see_each_element_and_what_is_around() {
    assert_all(
        yaql,
        &[
            ("ctx().hosts.select($.name)", json!(["db1", "web1", "db2"])),
            ("ctx().hosts.where($.up).select($.name)", json!(["db1", "db2"])),
            ("ctx().xs.where($ > 1)", json!([3, 2])),
            ("ctx().xs.select($ * ctx().n)", json!([21, 7, 14])),
            ("ctx().xs.select({x => $, y => str($)}).first()", json!({"x": 3, "y": "3"})),
            ("ctx().hosts.where($.name.startsWith(db) and $.load > 2).len()", json!(1)),
            ("ctx().xs.any($ = 2)", json!(true)),
            ("ctx().xs.all($ > 1)", json!(false)),
            ("[].any()", json!(false)),
            ("[1, 0].all()", json!(false)),
            ("ctx().hosts.orderBy($.load).select($.name)", json!(["web1", "db2", "db1"])),
            ("ctx().xs.orderByDescending($)", json!([3, 2, 1])),
            ("ctx().hosts.distinct($.up).select($.name)", json!(["db1", "web1"])),
            ("ctx().hosts.groupBy($.up, $.load)", json!([[true, [3, 2]], [false, [1]]])),
            ("ctx().hosts.toDict($.name, $.load)", json!({"db1": 3, "web1": 1, "db2": 2})),
            ("[[1, 2], [3]].selectMany($)", json!([1, 2, 3])),
            ("[[1, 2], [3]].select($.select($ + 1))", json!([[2, 3], [4]])),
            ("ctx().xs.takeWhile($ > 2)", json!([3])),
            ("ctx().xs.skipWhile($ > 2)", json!([1, 2])),
            ("ctx().xs.indexWhere($ < 3)", json!(1)),
            ("ctx().xs.filter($ in [1, 2] and not $ = 2)", json!([1])),
            ("ctx().xs.select(coalesce(null, $))", json!([3, 1, 2])),
            ("ctx().xs.select(switch($ > 2 => big, true => $))", json!(["big", 1, 2])),
            ("ctx().xs.select(ctx().names[$ - 1])", json!(["b", "b", "a"])),
            ("ctx().pair.items().select($[0] + str($[1]))", json!(["a1", "b2"])),
        ],
    );
}
