import Base
import Billing
package import CallDispatch
import Postgres
import Routing
import Store

/// Stores what workers tell, in order, each fact once; the last one settles the call.
package struct RecordReports: Sendable {
    /// Reports taken at once.
    package static let batchMax = 1000

    private let parts: CallParts
    package init(_ parts: CallParts) { self.parts = parts }

    /// - Throws: `Refusal` too_many_reports; what the database throws: then nothing of the call concerned
    ///   was stored.
    package func callAsFunction(_ reports: [Report]) async throws -> ReportReceipt {
        guard reports.count <= Self.batchMax else {
            throw Refusal(code: "too_many_reports", message: "at most \(Self.batchMax) reports at once")
        }
        var fenced: [ID<Call>] = []
        for (call, ofCall) in Self.grouped(reports) {
            if try await !record(call, ofCall) { fenced.append(call) }
        }
        return ReportReceipt(fenced: fenced)
    }

    private static func grouped(_ reports: [Report]) -> [(ID<Call>, [Report])] {
        var order: [ID<Call>] = []
        for report in reports where !order.contains(report.call) { order.append(report.call) }
        let groups = Dictionary(grouping: reports, by: \.call)
        return order.map { ($0, groups[$0, default: []]) }
    }

    /// False when the call has moved on from the epoch of any of these.
    private func record(_ call: ID<Call>, _ reports: [Report]) async throws -> Bool {
        guard let tenant = reports.first?.tenant else { return true }
        return try await parts.database.tenantTransaction(tenant) { sql in
            guard var row = try await CallStore.lock(tenant, call, in: sql) else { return false }
            var isCurrent = true
            for report in reports where report.tenant == tenant {
                guard Self.mayTell(report, row) else {
                    isCurrent = false
                    continue
                }
                guard let next = try await Self.store(Bounded.report(report), row, in: sql) else {
                    isCurrent = false
                    continue
                }
                row = next
            }
            return isCurrent
        }
    }

    /// Only the epoch that holds the call may tell; files of earlier epochs are welcome for as long as it
    /// takes.
    private static func mayTell(_ report: Report, _ call: CallRow) -> Bool {
        guard (1...Int(Int32.max)).contains(report.sequence) else { return false }
        switch report.fact {
        case .artifact, .artifactStarted: return report.epoch >= 1 && report.epoch <= call.epoch
        default: return report.epoch == call.epoch && call.state != .queued
        }
    }

    /// The row after the fact; nil when the worker must drop the call.
    private static func store(
        _ report: Report, _ call: CallRow, in sql: PostgresTransaction
    ) async throws -> CallRow? {
        let (type, detail) = Described.event(report.fact)
        guard try await FactStore.insert(report, type: type, detail: detail, in: sql) else { return call }
        switch report.fact {
        case .dialing: return try await startDialing(call, in: sql)
        case .carrierAccepted(let id): try await CallStore.learn(call, carrierCallID: id, in: sql)
        case .turn(let turn): try await FactStore.insert(turn, of: report, in: sql)
        case .artifactStarted(let kind, let path):
            guard Bounded.isArtifactPath(path) else { return call }
            try await FactStore.storeArtifact(
                kind: kind, path: path, bytes: 0, milliseconds: 0, of: report, in: sql)
        case .artifact(let kind, let path, let bytes, let milliseconds):
            guard Bounded.isArtifactPath(path) else { return call }
            try await FactStore.storeArtifact(
                kind: kind, path: path, bytes: bytes, milliseconds: milliseconds, of: report, in: sql)
        case .usage(let usage, let connectedMs) where call.state != .ended:
            try await FactStore.store(usage, connectedMs: connectedMs, of: report, in: sql)
        case .ended(let reason, let connectedMs, let usage) where call.state != .ended:
            try await FactStore.store(usage, connectedMs: connectedMs, of: report, in: sql)
            return try await SettleCall.end(call, reason, in: sql)
        case .route(let route): try await RouteStore.insert(route, of: report, in: sql)
        case .mediaStarted, .tool, .event, .usage, .ended: break
        }
        return call
    }

    /// From here on the call is never dialled again; so this is the last moment to stop it.
    private static func startDialing(_ call: CallRow, in sql: PostgresTransaction) async throws -> CallRow? {
        guard call.state == .claimed else { return call.state == .ended ? nil : call }
        if call.times.endRequested != nil {
            try await SettleCall.end(call, .requested, in: sql)
            return nil
        }
        try await CallStore.startDialing(call, in: sql)
        return try await CallStore.lock(call.tenant, call.id, in: sql)
    }
}

/// What a report looks like among the call's events: never spoken words.
enum Described {
    static func event(_ fact: CallFact) -> (type: String, detail: JSON) {
        switch fact {
        case .dialing: ("dialing", [:])
        case .carrierAccepted(let id): ("carrier_accepted", ["carrier_call_id": .string(id)])
        case .mediaStarted: ("media_started", [:])
        case .turn(let turn):
            (
                "turn",
                [
                    "number": .int(Int64(turn.number)), "speaker": .string(turn.speaker),
                    "was_interrupted": .bool(turn.wasInterrupted),
                    "stages": .object(turn.stages.mapValues { .int(Int64($0)) }),
                ]
            )
        case .tool(let key, let name, let succeeded, let milliseconds):
            (
                "tool",
                [
                    "key": .string(key), "name": .string(name), "succeeded": .bool(succeeded),
                    "milliseconds": .int(Int64(milliseconds)),
                ]
            )
        case .route(let route):
            (
                "route",
                [
                    "turn": .int(Int64(route.turn)), "mode": .string(route.mode),
                    "model": .string(route.model),
                    "reason": .string(route.reason),
                ]
            )
        case .usage(let usage, let connectedMs):
            ("usage", ["connected_ms": .int(Int64(connectedMs)), "components": .int(Int64(usage.count))])
        case .event(let code, let detail):
            (
                code.isEmpty ? "event" : String(code.prefix(64)),
                ["detail": .string(String(detail.prefix(500)))]
            )
        case .artifactStarted(let kind, _): ("artifact_started", ["kind": .string(kind.rawValue)])
        case .artifact(let kind, _, let bytes, let milliseconds):
            (
                "artifact",
                [
                    "kind": .string(kind.rawValue), "bytes": .int(Int64(bytes)),
                    "milliseconds": .int(Int64(milliseconds)),
                ]
            )
        case .ended(let reason, let connectedMs, _):
            ("media_ended", ["reason": .string(reason.rawValue), "connected_ms": .int(Int64(connectedMs))])
        }
    }
}
