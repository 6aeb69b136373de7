//! SQLite that behaves like D1: it refuses what D1 refuses or silently changes.
//!
//! Checked against the local runtime: numbers are bound as floating point (`json_object('a', ?1)` gives `5.0` and a
//! TEXT column gets `'5.0'`; INTEGER columns, comparisons, `&`, `LIMIT` are exact), a batch needs exactly as many
//! parameters as its statements have, and a failed guard says only "malformed JSON".

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use postern::platform::{Database, DatabaseFault, Home, Later, Row, Rows, Statement, Value};
use rusqlite::{
    Connection, Error, ErrorCode, MAIN_DB, Params,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
    types::ValueRef,
};

use super::{Fault, Faults, Port};

const MAX_EXACT: i64 = 1 << 53;

/// What D1 authorises, without what would bring in a time or randomness of its own.
static FUNCTIONS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    "abs changes char coalesce concat concat_ws count format glob group_concat hex if ifnull iif instr json ->  ->> \
     json_array json_array_length json_extract json_group_array json_group_object json_insert json_object \
     json_patch json_quote json_remove json_replace json_set json_type json_valid length like likelihood likely \
     lower ltrim max min nullif octet_length printf quote replace row_number rtrim sign string_agg substr \
     substring sum trim typeof unicode unlikely upper"
        .split_ascii_whitespace()
        .collect()
});

static DIRECTORY: LazyLock<Vec<u8>> = LazyLock::new(|| migrated("directory"));
static SHARD: LazyLock<Vec<u8>> = LazyLock::new(|| migrated("shard"));

/// A database file with every migration of `schema/<name>` applied.
fn migrated(name: &str) -> Vec<u8> {
    let folder = schema().join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut connection = Connection::open_in_memory().unwrap();
    // Small pages make the copy that every simulation takes small.
    connection.execute_batch("PRAGMA page_size = 1024; PRAGMA foreign_keys = ON;").unwrap();
    // Where wrangler records what it has applied.
    let record = "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE)";
    connection.execute_batch(record).unwrap();
    for file in files {
        let sql = fs::read_to_string(&file).unwrap();
        connection.execute_batch(&sql).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        let name = file.file_name().unwrap().to_str();
        connection.execute("INSERT INTO d1_migrations (name) VALUES (?1)", [name]).unwrap();
    }
    connection.serialize(MAIN_DB).unwrap().to_vec()
}

/// The folder of the migrations. The fuzz targets' package, which compiles this file too, stands in a folder of the project.
fn schema() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().map(|folder| folder.join("schema")).find(|folder| folder.is_dir()).unwrap()
}

/// A database as it was at some moment.
#[derive(Clone)]
pub struct Snapshot(Vec<u8>);

pub struct SimDatabase {
    home: Home,
    faults: Rc<Faults>,
    connection: RefCell<Connection>,
    restricted: Arc<AtomicBool>,
}

impl SimDatabase {
    /// A migrated directory.
    pub fn directory(faults: Rc<Faults>) -> Self {
        Self::open(Home::Directory, faults, &DIRECTORY)
    }

    /// A migrated shard.
    pub fn shard(faults: Rc<Faults>) -> Self {
        Self::open(Home::Shard, faults, &SHARD)
    }

    fn open(home: Home, faults: Rc<Faults>, file: &[u8]) -> Self {
        let restricted = Arc::new(AtomicBool::new(false));
        let connection = RefCell::new(connect(file, &restricted));
        Self { home, faults, connection, restricted }
    }

    /// A copy of the whole database, to restore later.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.connection.borrow_mut().serialize(MAIN_DB).unwrap().to_vec())
    }

    /// Puts the database back to how it was.
    pub fn restore(&self, snapshot: &Snapshot) {
        *self.connection.borrow_mut() = connect(&snapshot.0, &self.restricted);
    }

    /// Runs any SQL without faults, for seeding and for tests that break things.
    pub fn execute(&self, sql: &str, parameters: impl Params) -> usize {
        self.connection.borrow().execute(sql, parameters).unwrap_or_else(|fault| panic!("{fault}: {sql}"))
    }

    /// Runs any SQL that the schema itself may refuse.
    pub fn try_execute(&self, sql: &str) -> Result<usize, Error> {
        self.connection.borrow().execute(sql, [])
    }

    /// The rows of any query without faults, for tests that look.
    pub fn query(&self, sql: &str, parameters: impl Params) -> Rows {
        let connection = self.connection.borrow();
        let mut prepared = connection.prepare(sql).unwrap_or_else(|fault| panic!("{fault}: {sql}"));
        let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        let mut rows = prepared.query(parameters).unwrap();
        let mut read = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            read.push(read_row(row, &columns).unwrap());
        }
        read
    }

    /// The number that a query of one row and column gives.
    pub fn number(&self, sql: &str, parameters: impl Params) -> i64 {
        self.connection
            .borrow()
            .query_row(sql, parameters, |row| row.get(0))
            .unwrap_or_else(|fault| panic!("{fault}: {sql}"))
    }

    /// The lines of `EXPLAIN QUERY PLAN` for a statement, its parameters unbound.
    pub fn plan(&self, sql: &str) -> Vec<String> {
        let connection = self.connection.borrow();
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let mut prepared = connection.prepare(&explain).unwrap_or_else(|fault| panic!("{fault}: {sql}"));
        let mut rows = prepared.raw_query();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            lines.push(row.get("detail").unwrap());
        }
        lines
    }

    fn transaction(&self, statements: &[Statement]) -> Result<Vec<Rows>, DatabaseFault> {
        let connection = self.connection.borrow();
        control(&connection, "BEGIN IMMEDIATE");
        self.restricted.store(true, Ordering::Relaxed);
        let answers = statements.iter().map(|statement| self.run(&connection, statement)).collect();
        self.restricted.store(false, Ordering::Relaxed);
        control(&connection, if Result::is_ok(&answers) { "COMMIT" } else { "ROLLBACK" });
        answers
    }

    fn run(&self, connection: &Connection, statement: &Statement) -> Result<Rows, DatabaseFault> {
        let name = statement.sql.name;
        let rejected = |why: &str| DatabaseFault::Rejected(format!("{name}: {why}"));
        let classified = |fault| classify(name, &fault);
        if statement.sql.home != self.home {
            return Err(rejected("sent to the wrong database"));
        }
        let mut prepared = connection.prepare_cached(statement.sql.text).map_err(classified)?;
        let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        if columns.iter().collect::<BTreeSet<_>>().len() != columns.len() {
            return Err(rejected("two columns have one name"));
        }
        if prepared.parameter_count() != statement.parameters.len() {
            return Err(rejected("wrong number of parameters"));
        }
        for (index, value) in statement.parameters.iter().enumerate() {
            match value {
                Value::Null => prepared.raw_bind_parameter(index + 1, rusqlite::types::Null),
                Value::Int(number) if number.abs() >= MAX_EXACT => {
                    return Err(rejected("an integer of 2^53 or more"));
                }
                #[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
                Value::Int(number) => prepared.raw_bind_parameter(index + 1, *number as f64),
                Value::Text(text) => prepared.raw_bind_parameter(index + 1, text),
            }
            .map_err(classified)?;
        }
        let mut rows = prepared.raw_query();
        let mut read = Vec::new();
        while let Some(row) = rows.next().map_err(classified)? {
            read.push(read_row(row, &columns).map_err(rejected)?);
        }
        Ok(read)
    }
}

impl Database for SimDatabase {
    fn batch(&self, statements: Vec<Statement>) -> Later<'_, Result<Vec<Rows>, DatabaseFault>> {
        let port = match self.home {
            Home::Directory => Port::Directory,
            Home::Shard => Port::Shard,
        };
        let names: Vec<&'static str> = statements.iter().map(|statement| statement.sql.name).collect();
        let fault = self.faults.next(port, &names);
        Box::pin(async move {
            self.faults.call(fault, || self.transaction(&statements)).await.map_err(|fault| match fault {
                Fault::NotSent => DatabaseFault::Rejected("the batch was not taken".to_owned()),
                fault => DatabaseFault::Unknown(format!("{fault:?}")),
            })?
        })
    }
}

fn connect(file: &[u8], restricted: &Arc<AtomicBool>) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.deserialize_read_exact(MAIN_DB, file, file.len(), false).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA journal_mode = MEMORY;").unwrap();
    connection.set_prepared_statement_cache_capacity(256);
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
        (Limit::SQLITE_LIMIT_COLUMN, 100),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
    ] {
        connection.set_limit(limit, most).unwrap();
    }
    let restricted = Arc::clone(restricted);
    connection
        .authorizer(Some(move |context: AuthContext<'_>| {
            if restricted.load(Ordering::Relaxed) { authorise(&context.action) } else { Authorization::Allow }
        }))
        .unwrap();
    connection
}

fn authorise(action: &AuthAction<'_>) -> Authorization {
    match action {
        AuthAction::Function { function_name }
            if !FUNCTIONS.contains(function_name.to_lowercase().as_str()) =>
        {
            Authorization::Deny
        }
        AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Pragma { .. }
        | AuthAction::CreateTempTable { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

fn control(connection: &Connection, sql: &str) {
    connection.prepare_cached(sql).and_then(|mut prepared| prepared.execute([])).unwrap();
}

fn read_row(row: &rusqlite::Row<'_>, columns: &[String]) -> Result<Row, &'static str> {
    let values = columns.iter().enumerate().map(|(index, column)| {
        let value = match row.get_ref(index).map_err(|_| "a value cannot be read")? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Int(number),
            // A bound number that comes back unchanged is one of these.
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole, and below 2^53 next")]
            ValueRef::Real(number) if number.fract() == 0.0 => Value::Int(number as i64),
            ValueRef::Real(_) => return Err("a floating point result"),
            ValueRef::Text(bytes) => {
                Value::Text(str::from_utf8(bytes).map_err(|_| "text that is not UTF-8")?.to_owned())
            }
            ValueRef::Blob(_) => return Err("a BLOB result"),
        };
        match value {
            Value::Int(number) if number.abs() >= MAX_EXACT => Err("an integer of 2^53 or more"),
            value => Ok((column.clone(), value)),
        }
    });
    values.collect::<Result<_, _>>().map(Row::new)
}

fn classify(name: &str, fault: &Error) -> DatabaseFault {
    let words = format!("{name}: {fault}");
    let aborted =
        fault.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) || words.contains("malformed JSON");
    if aborted { DatabaseFault::Aborted(words) } else { DatabaseFault::Rejected(words) }
}
