import Foundation

/// The private PostgreSQL and Redis that `make test` starts. A missing server fails the run: nothing skips.
package enum TestServices {
    /// The superuser's connection string, from `PARLEY_DATABASE_URL`.
    package static var databaseURL: String { required("PARLEY_DATABASE_URL") }
    /// `unix://…/redis.sock`, from `PARLEY_REDIS_URL`.
    package static var redisURL: String { required("PARLEY_REDIS_URL") }

    private static func required(_ name: String) -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            fatalError(
                "\(name) is not set: run the tests with `make test`, which starts the private services")
        }
        return value
    }
}
