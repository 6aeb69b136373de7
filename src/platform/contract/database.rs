//! Databases: the SQL that every store relies on, and what is refused.

use super::{Check, Suite, same};
use crate::platform::{Database, DatabaseFault, FromValue, Home, Rows, Sql, Statement, Value};

const GUARD: &str = "SELECT CASE WHEN changes() = ?1 THEN 1 ELSE json('{guard') END AS held";

/// The largest integer that is kept exactly.
const LARGEST: i64 = (1 << 53) - 1;

pub(super) async fn suite(database: &dyn Database, home: Home, name: &str, statements: &[Sql]) -> Vec<Check> {
    let bench = Bench { database, home };
    let mut suite = Suite::new("Database");
    if let Err(fault) = bench.set_up().await {
        suite.check(format!("{name} takes a table"), Err(fault.to_string()));
        return suite.checks;
    }
    let checks = [
        ("rows are read by column name", flat(bench.columns().await)),
        ("text and integers below 2^53 come back exactly", flat(bench.exact().await)),
        ("larger integers are refused", bench.refused("SELECT ?1 AS a", &[Value::Int(LARGEST + 1)]).await),
        ("a bound number is floating point in JSON and in text", flat(bench.numbers().await)),
        ("INTEGER columns hold integers", flat(bench.integers().await)),
        ("a batch answers each statement in order", flat(bench.in_order().await)),
        ("an empty batch gives nothing", flat(bench.empty().await)),
        ("a batch sees what it wrote", flat(bench.sees_itself().await)),
        ("UPDATE, INSERT and DELETE return rows", flat(bench.returning().await)),
        ("an UPSERT inserts or updates, or does nothing", flat(bench.upsert().await)),
        ("changes() tells of the statement before", flat(bench.changes().await)),
        ("a list goes through json_each", flat(bench.lists().await)),
        ("100 parameters are taken", flat(bench.hundred().await)),
        ("a failed guard rolls the batch back", bench.rolls_back(GUARD, &[Value::Int(2)]).await),
        (
            "a doubled key rolls the batch back",
            bench.rolls_back("INSERT INTO contract_probe (id) VALUES (?1)", &[Value::Int(1)]).await,
        ),
        (
            "a wrong type rolls the batch back",
            bench.rolls_back("INSERT INTO contract_probe (id, number) VALUES (90, ?1)", &["x".into()]).await,
        ),
        (
            "a failed CHECK rolls the batch back",
            bench.rolls_back("UPDATE contract_probe SET text = ?1 WHERE id = 1", &["not json".into()]).await,
        ),
        (
            "a reference to nothing rolls the batch back",
            bench.rolls_back("UPDATE contract_probe SET parent = ?1 WHERE id = 1", &[Value::Int(99)]).await,
        ),
        (
            "RAISE(ABORT) rolls the batch back",
            bench.rolls_back("DELETE FROM contract_probe WHERE id = ?1", &[Value::Int(1)]).await,
        ),
        ("an unknown table is refused", bench.refused("SELECT a FROM absent", &[]).await),
        ("bad SQL is refused", bench.refused("SELEKT 1", &[]).await),
        ("a missing parameter is refused", bench.refused("SELECT ?1 AS a, ?2 AS b", &[Value::Int(1)]).await),
        (
            "a spare parameter is refused",
            bench.refused("SELECT ?1 AS a", &[Value::Int(1), Value::Null]).await,
        ),
        ("a 101st parameter is refused", bench.refused("SELECT ?101 AS a", &vec![Value::Null; 101]).await),
        ("sqlite_version() is refused", bench.refused("SELECT sqlite_version() AS v", &[]).await),
        ("BEGIN is refused", bench.refused("BEGIN", &[]).await),
        (
            "a LIKE pattern over 50 bytes is refused",
            bench.refused("SELECT 'a' LIKE ?1 AS l", &["a".repeat(51).into()]).await,
        ),
        ("a refused statement rolls the batch back", flat(bench.refusal_rolls_back().await)),
    ];
    for (promise, outcome) in checks {
        suite.check(format!("{name}: {promise}"), outcome);
    }
    for sql in statements.iter().filter(|sql| sql.home == home) {
        suite.check(format!("{name} prepares {}", sql.name), bench.prepares(*sql).await);
    }
    if let Err(fault) = bench.clear_up().await {
        suite.check(format!("{name} drops a table"), Err(fault.to_string()));
    }
    suite.checks
}

fn flat(outcome: Result<Result<(), String>, DatabaseFault>) -> Result<(), String> {
    outcome.unwrap_or_else(|fault| Err(fault.to_string()))
}

/// A database with a table to try things on: one row, `(1, 10, '[]', NULL)`, that may not be deleted.
struct Bench<'a> {
    database: &'a dyn Database,
    home: Home,
}

type Outcome = Result<Result<(), String>, DatabaseFault>;

impl Bench<'_> {
    fn statement(&self, text: &'static str, parameters: &[Value]) -> Statement {
        Statement { sql: Sql { name: "contract", text, home: self.home }, parameters: parameters.to_vec() }
    }

    async fn batch(&self, statements: &[(&'static str, &[Value])]) -> Result<Vec<Rows>, DatabaseFault> {
        let statements =
            statements.iter().map(|(text, parameters)| self.statement(text, parameters)).collect();
        self.database.batch(statements).await
    }

    /// The value of `column` in the first row of the last of `statements`.
    async fn value<T: FromValue>(
        &self,
        statements: &[(&'static str, &[Value])],
        column: &'static str,
    ) -> Result<Option<T>, DatabaseFault> {
        let rows = self.batch(statements).await?.pop().unwrap_or_default();
        Ok(rows.first().map(|row| row.get(column)).transpose()?)
    }

    async fn set_up(&self) -> Result<(), DatabaseFault> {
        self.clear_up().await?;
        self.batch(&[
            (
                "CREATE TABLE contract_probe (id INTEGER PRIMARY KEY, number INTEGER, text TEXT CHECK (json_valid(text)),
                 parent INTEGER REFERENCES contract_probe (id)) STRICT",
                &[],
            ),
            (
                "CREATE TRIGGER contract_keeps BEFORE DELETE ON contract_probe WHEN OLD.id = 1
                 BEGIN SELECT RAISE(ABORT, 'this row stays'); END",
                &[],
            ),
            ("INSERT INTO contract_probe (id, number, text) VALUES (1, 10, '[]')", &[]),
        ])
        .await
        .map(|_| ())
    }

    async fn clear_up(&self) -> Result<(), DatabaseFault> {
        self.batch(&[
            ("DROP TRIGGER IF EXISTS contract_keeps", &[]),
            ("DROP TABLE IF EXISTS contract_probe", &[]),
        ])
        .await
        .map(|_| ())
    }

    async fn columns(&self) -> Outcome {
        let answers = self.batch(&[("SELECT 'b' AS text, 1 AS number, NULL AS absent", &[])]).await?;
        let Some(row) = answers.first().and_then(|rows| rows.first()) else {
            return Ok(Err("no row".to_owned()));
        };
        let read = (row.get::<i64>("number")?, row.get::<String>("text")?, row.get::<Option<i64>>("absent")?);
        Ok(same(&read, &(1, "b".to_owned(), None)))
    }

    async fn exact(&self) -> Outcome {
        let words = "\u{1f426} \u{e5}\u{e4}\u{f6} 'single' \"double\"\n\\ ".to_owned();
        let parameters = [Value::Int(LARGEST), Value::Int(-LARGEST), words.as_str().into()];
        let answers = self.batch(&[("SELECT ?1 AS most, ?2 AS least, ?3 AS words", &parameters)]).await?;
        let Some(row) = answers.first().and_then(|rows| rows.first()) else {
            return Ok(Err("no row".to_owned()));
        };
        let read = (row.get::<i64>("most")?, row.get::<i64>("least")?, row.get::<String>("words")?);
        Ok(same(&read, &(LARGEST, -LARGEST, words)))
    }

    async fn numbers(&self) -> Outcome {
        let sql = "SELECT json_array(?1, CAST(?1 AS INTEGER), ?1 || '') AS found";
        let found: Option<String> = self.value(&[(sql, &[Value::Int(5)])], "found").await?;
        Ok(same(&found.as_deref(), &Some(r#"[5.0,5,"5.0"]"#)))
    }

    async fn integers(&self) -> Outcome {
        let sql = "UPDATE contract_probe SET number = ?1 WHERE id = ?2 AND number & ?3 = ?3 RETURNING typeof(number) AS kind";
        let parameters = [Value::Int(10), Value::Int(1), Value::Int(2)];
        let kind: Option<String> = self.value(&[(sql, &parameters)], "kind").await?;
        Ok(same(&kind.as_deref(), &Some("integer")))
    }

    async fn in_order(&self) -> Outcome {
        let answers = self
            .batch(&[
                ("SELECT 1 AS a", &[]),
                ("SELECT id AS a FROM contract_probe WHERE id > 5", &[]),
                ("SELECT value AS a FROM json_each('[1,2,3]')", &[]),
            ])
            .await?;
        let counts: Vec<usize> = answers.iter().map(Vec::len).collect();
        Ok(same(&counts, &vec![1, 0, 3]))
    }

    async fn empty(&self) -> Outcome {
        Ok(same(&self.batch(&[]).await?.len(), &0))
    }

    async fn sees_itself(&self) -> Outcome {
        let number = self
            .value::<i64>(
                &[
                    ("UPDATE contract_probe SET number = number + 1 WHERE id = 1", &[]),
                    ("UPDATE contract_probe SET number = number - 1 WHERE id = 1 AND number = 11", &[]),
                    ("SELECT number FROM contract_probe WHERE id = 1", &[]),
                ],
                "number",
            )
            .await?;
        Ok(same(&number, &Some(10)))
    }

    async fn returning(&self) -> Outcome {
        let answers = self
            .batch(&[
                ("INSERT INTO contract_probe (id, number) VALUES (?1, ?2) RETURNING id", &[Value::Int(2), Value::Int(20)]),
                ("UPDATE contract_probe SET number = 21 WHERE id = 2 AND number = 20 RETURNING number AS id", &[]),
                ("UPDATE contract_probe SET number = 22 WHERE id = 2 AND number = 20 RETURNING number AS id", &[]),
                ("DELETE FROM contract_probe WHERE id = 2 RETURNING id", &[]),
            ])
            .await?;
        let ids: Vec<Option<i64>> = answers
            .iter()
            .map(|rows| rows.first().map(|row| row.get("id")).transpose())
            .collect::<Result<_, _>>()?;
        Ok(same(&ids, &vec![Some(2), Some(21), None, Some(2)]))
    }

    async fn upsert(&self) -> Outcome {
        let add = "INSERT INTO contract_probe (id, number) VALUES (?1, 1)
                   ON CONFLICT (id) DO UPDATE SET number = number + 1 RETURNING number";
        let skip =
            "INSERT INTO contract_probe (id, number) VALUES (?1, 9) ON CONFLICT DO NOTHING RETURNING number";
        let id = [Value::Int(3)];
        let answers = self
            .batch(&[
                (add, &id),
                (add, &id),
                (skip, &id),
                ("DELETE FROM contract_probe WHERE id = ?1 RETURNING number", &id),
            ])
            .await?;
        let numbers: Vec<Option<i64>> = answers
            .iter()
            .map(|rows| rows.first().map(|row| row.get("number")).transpose())
            .collect::<Result<_, _>>()?;
        Ok(same(&numbers, &vec![Some(1), Some(2), None, Some(2)]))
    }

    async fn changes(&self) -> Outcome {
        let claim = "UPDATE contract_probe SET number = 11 WHERE id = 1 AND number = ?1";
        let follow = "INSERT INTO contract_probe (id) SELECT ?1 WHERE changes() = 1 RETURNING id";
        let put_back = "UPDATE contract_probe SET number = 10 WHERE id = 1";
        let (four, five, ten) = ([Value::Int(4)], [Value::Int(5)], [Value::Int(10)]);
        let answers = self
            .batch(&[
                (claim, &ten),
                (follow, &four),
                (GUARD, &[Value::Int(1)]),
                (claim, &ten),
                (follow, &five),
                (GUARD, &[Value::Int(0)]),
                ("DELETE FROM contract_probe WHERE id > 1", &[]),
                (put_back, &[]),
            ])
            .await?;
        let counts: Vec<usize> = answers.iter().map(Vec::len).collect();
        Ok(same(&counts, &vec![0, 1, 1, 0, 0, 1, 0, 0]))
    }

    async fn lists(&self) -> Outcome {
        let ids: Vec<String> = (0..1000).map(|number| format!("id_{number}")).collect();
        let list = serde_json::json!(ids).to_string();
        let sql = "SELECT count(*) AS number FROM json_each(?1) WHERE value LIKE 'id_%'";
        let number: Option<i64> = self.value(&[(sql, &[list.into()])], "number").await?;
        Ok(same(&number, &Some(1000)))
    }

    async fn hundred(&self) -> Outcome {
        let parameters: Vec<Value> = (1..=100).map(Value::Int).collect();
        let number: Option<i64> =
            self.value(&[("SELECT ?100 - ?1 AS number", &parameters)], "number").await?;
        Ok(same(&number, &Some(99)))
    }

    async fn refusal_rolls_back(&self) -> Outcome {
        let change = "UPDATE contract_probe SET number = 99 WHERE id = 1";
        let outcome = self.batch(&[(change, &[]), ("SELECT a FROM absent", &[])]).await;
        let number: Option<i64> =
            self.value(&[("SELECT number FROM contract_probe WHERE id = 1", &[])], "number").await?;
        Ok(same(&(outcome.is_err(), number), &(true, Some(10))))
    }

    /// Kept when the statement is refused as being itself at fault.
    async fn refused(&self, text: &'static str, parameters: &[Value]) -> Result<(), String> {
        match self.batch(&[(text, parameters)]).await {
            Err(DatabaseFault::Rejected(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }

    /// Kept when the statement aborts its batch, and what was written before it is undone.
    async fn rolls_back(&self, text: &'static str, parameters: &[Value]) -> Result<(), String> {
        let change = "UPDATE contract_probe SET number = 99 WHERE id = 1";
        let outcome = self.batch(&[(change, &[]), (text, parameters)]).await;
        if !matches!(outcome, Err(DatabaseFault::Aborted(_))) {
            return Err(format!("{outcome:?}"));
        }
        let number =
            self.value::<i64>(&[("SELECT number FROM contract_probe WHERE id = 1", &[])], "number").await;
        same(&number, &Ok(Some(10)))
    }

    /// Kept when the statement compiles, with as many parameters as its text names.
    async fn prepares(&self, sql: Sql) -> Result<(), String> {
        // A statement's text lives for ever; this one lives as long as the test build that made it.
        let text: &'static str = String::leak(format!("EXPLAIN QUERY PLAN {}", sql.text));
        let parameters = vec![Value::Null; parameters_of(sql.text)];
        self.batch(&[(text, &parameters)]).await.map(|_| ()).map_err(|fault| fault.to_string())
    }
}

/// The highest `?n` in a statement's text.
fn parameters_of(text: &str) -> usize {
    text.split('?')
        .skip(1)
        .filter_map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .max()
        .unwrap_or(0)
}
