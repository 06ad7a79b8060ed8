import Base
import Logging
import Postgres
import Store
import TestKit
import Testing

/// Generated from the catalogue: a new table is held to the rules from the migration that makes it.
@Suite struct RowSecurityTests {
    /// No tenant's data: the migrator's own record, and the tree itself (forced policies of its own, tested beside).
    static let exempt: Set<String> = ["schema_migrations", "tenants"]

    /// Nobody's in particular, so a tenant's role must not reach them at all.
    static let platformOnly: Set<String> = ["workers"]

    @Test func everyTableHasATenantAndForcedPolicies() async throws {
        try await TestDatabase.with { raw in
            let pool = raw
            let tables = try await pool.query(
                """
                SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced, c.relispartition AS part,
                    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                        AND a.attnotnull) AS has_tenant,
                    EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND 'parley_app'::regrole = ANY (p.polroles)
                        AND pg_get_expr(p.polqual, c.oid) ~ 'tenant_id = .*parley\\.tenant'
                        AND pg_get_expr(p.polwithcheck, c.oid) ~ 'tenant_id = .*parley\\.tenant') AS has_policy,
                    has_any_column_privilege('parley_app', c.oid, 'SELECT, INSERT, UPDATE')
                        OR has_table_privilege('parley_app', c.oid, 'DELETE') AS reachable
                FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                """)
            #expect(tables.rows.count > 8)
            for row in tables.rows {
                let name = try row.text("name")
                if Self.exempt.contains(name) { continue }
                #expect(
                    try row.bool("forced"), "\(name): row-level security is not forced: call parley_protect")
                if Self.platformOnly.contains(name) {
                    #expect(try !row.bool("reachable"), "\(name) is no tenant's, and parley_app reaches it")
                    continue
                }
                #expect(try row.bool("has_tenant"), "\(name) has no tenant_id NOT NULL")
                if try row.bool("part") {
                    #expect(
                        try !row.bool("reachable"), "\(name): a partition is reached through its parent only")
                } else if try row.bool("reachable") {
                    #expect(try row.bool("has_policy"), "\(name) has no policy on tenant_id for parley_app")
                }
            }
        }
    }

    @Test func noRoleCanBypassAndNoViewOrFunctionLendsItsOwnersRights() async throws {
        try await TestDatabase.with { raw in
            let pool = raw
            let roles = try await pool.query(
                """
                SELECT count(*) AS n FROM pg_roles WHERE rolname IN ('parley_app', 'parley_platform')
                    AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin)
                """)
            #expect(try roles.rows[0].int("n") == 2)
            let definers = try await pool.query(
                """
                SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
                    AND (proname <> 'parley_keep_partitions' OR has_function_privilege('parley_app', oid, 'EXECUTE'))
                """)
            #expect(definers.rows.isEmpty, "a SECURITY DEFINER function hands the exemption back")
            let views = try await pool.query(
                """
                SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
                    AND NOT coalesce(reloptions @> '{security_invoker=true}', false)
                """)
            #expect(views.rows.isEmpty, "a view needs security_invoker")
            let owned = try await pool.query(
                """
                SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) IN ('parley_app', 'parley_platform')
                """)
            #expect(owned.rows.isEmpty)
        }
    }

    /// Two tenants, one row of each in every table that can take a copied row; then A tries B's.
    @Test func aTenantReachesNoRowOfAnother() async throws {
        try await TestPlatform.with { platform in
            let (a, b) = (try await platform.makeTenant("A"), try await platform.makeTenant("B"))
            for tenant in [a, b] {
                let agent = try await platform.makeAgent(key: tenant.key)
                let credential = try await platform.makeCredential(key: tenant.key)
                let digit = tenant.id == a.id ? "1" : "2"
                _ = try await platform.post(
                    "/v1/phone-numbers",
                    [
                        "number": .string("+1415555010" + digit), "agent_id": .string(agent),
                        "credential_id": .string(credential),
                    ], key: tenant.key, headers: ["Idempotency-Key": "same"])
                _ = try await platform.post(
                    "/v1/price-books",
                    [
                        "name": "b",
                        "rates": [["component": "stt", "unit": "milliseconds", "price": "1", "per": 1]],
                    ], tenant: tenant.id)
            }
            let mine = try #require(ID<Tenant>(a.id))
            let other = try #require(ID<Tenant>(b.id))
            let pool = platform.raw
            let tables = try await pool.query(
                """
                SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                    AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                """
            ).rows.map { try $0.text("name") }.filter { !Self.exempt.union(Self.platformOnly).contains($0) }
            var filled = 0
            for table in tables {
                let theirs = try await pool.query(
                    "SELECT count(*) AS n FROM \(table) WHERE tenant_id = $1", [.id(other)])
                let count = try theirs.rows[0].int("n")
                filled += count > 0 ? 1 : 0
                await Self.attack(platform.database, table, mine: mine, other: other)
                let after = try await pool.query(
                    "SELECT count(*) AS n FROM \(table) WHERE tenant_id = $1", [.id(other)])
                #expect(try after.rows[0].int("n") == count, "\(table)")
            }
            #expect(filled >= 8, "rows of B to attack in \(filled) tables")
        }
    }

    /// Every way of touching B's rows while acting for A shows and changes none, or is refused (42501).
    private static func attack(_ database: Database, _ table: String, mine: ID<Tenant>, other: ID<Tenant>)
        async
    {
        let statements = [
            "SELECT 1 FROM \(table) WHERE tenant_id = $1",
            "DELETE FROM \(table) WHERE tenant_id = $1 RETURNING 1",
            "UPDATE \(table) SET tenant_id = tenant_id WHERE tenant_id = $1 RETURNING 1",
            "INSERT INTO \(table) SELECT * FROM \(table) WHERE tenant_id = $1 RETURNING 1",
        ]
        for sql in statements {
            do {
                let found = try await database.tenant(mine, sql, [.id(other)])
                #expect(found.rows.isEmpty && found.affected == 0, "\(sql)")
            } catch let error as PostgresError {
                // 428C9: a generated column is not copied; nothing was.
                #expect(["42501", "428C9"].contains(error.sqlState), "\(sql): \(error)")
            } catch {
                Issue.record("\(sql): \(error)")
            }
        }
        // A row of B's, written by A. Before the policy a missing column (23502) or partition (23514) may refuse it.
        do {
            _ = try await database.tenant(mine, "INSERT INTO \(table) (tenant_id) VALUES ($1)", [.id(other)])
            Issue.record("\(table) took a row of another tenant")
        } catch let error as PostgresError {
            #expect(["42501", "23502", "23514"].contains(error.sqlState), "\(table): \(error)")
        } catch {
            Issue.record("\(table): \(error)")
        }
    }

    @Test func withoutATenantNothingIsSeenAndTheTreeIsSeenFromBelowOnly() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            _ = try await platform.makeAgent(key: acme.key)
            var configuration = PostgresPool.Configuration(url: platform.raw.url)
            configuration.role = "parley_app"
            let pool = PostgresPool(configuration, logger: .quiet)
            #expect(try await pool.query("SELECT * FROM agents").rows.isEmpty)
            #expect(try await pool.query("SELECT * FROM tenants").rows.isEmpty)
            await pool.close()
            let id = try #require(ID<Tenant>(acme.id))
            #expect(try await platform.database.tenant(id, "SELECT * FROM tenants").rows.count == 1)
            let raised = try await platform.database.tenant(
                id, "UPDATE tenants SET concurrency_limit = 99999")
            #expect(raised.affected == 0)
        }
    }
}
