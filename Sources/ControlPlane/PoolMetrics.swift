import Postgres
package import Store

/// The pools' figures as Prometheus text: gauges read when asked, so they cost nothing in between.
package enum PoolMetrics {
    package static func text(_ database: Database) -> String {
        let pools = database.pools
        func metric(_ name: String, _ kind: String, _ value: (Int) -> String) -> String {
            pools.indices.reduce("# TYPE parley_postgres_\(name) \(kind)\n") { out, pool in
                out + "parley_postgres_\(name){pool=\"\(pools[pool].name)\"} \(value(pool))\n"
            }
        }
        return metric("connections_open", "gauge") { String(pools[$0].status.open) }
            + metric("connections_leased", "gauge") { String(pools[$0].status.leased) }
            + metric("waiting", "gauge") { String(pools[$0].status.waiting) }
            + metric("in_flight", "gauge") { String(pools[$0].status.inFlight) }
            + metric("queries_total", "counter") { String(pools[$0].status.counters.queries) }
            + metric("errors_total", "counter") { String(pools[$0].status.counters.errors) }
            + metric("transactions_total", "counter") { String(pools[$0].status.counters.transactions) }
            + metric("connections_lost_total", "counter") { String(pools[$0].status.counters.lost) }
            + metric("waits_expired_total", "counter") { String(pools[$0].status.counters.expired) }
    }
}
