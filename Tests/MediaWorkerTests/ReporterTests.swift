import Base
import CallDispatch
import Crypto
import Foundation
import Logging
import MediaWorker
import TestKit
import Testing

@Suite struct ReporterTests {
    let key = SymmetricKey(data: Data(repeating: 7, count: 32))
    let directory = ScratchDirectory()
    let link = FakeLink()

    private func spool(_ name: String) -> ReportSpool {
        ReportSpool(directory: directory.path, worker: name, key: key, logger: .quiet)
    }

    private func reporter(
        _ spool: ReportSpool, onFenced: @escaping @Sendable (CallKey) -> Void = { _ in }
    ) -> Reporter {
        var limits = Reporter.Limits()
        limits.retryFirst = .milliseconds(5)
        limits.retryMax = .milliseconds(10)
        limits.spoolEvery = .milliseconds(2)
        return Reporter(link: link, spool: spool, limits: limits, logger: .quiet, onFenced: onFenced)
    }

    @Test func factsArriveNumberedAndInOrder() async throws {
        let reporter = reporter(spool("a"))
        let one = CallKey.sample(1)
        let two = CallKey.sample(2)
        let running = Task { await reporter.run() }
        for _ in 0..<250 {
            reporter.tell(.mediaStarted, of: one)
            reporter.tell(.mediaStarted, of: two)
        }
        await reporter.toldLast(of: one)
        await reporter.toldLast(of: two)
        running.cancel()
        await running.value
        for key in [one, two] {
            let numbers = link.reports.filter { $0.call == key.call }.map(\.sequence)
            #expect(numbers == Array(1...251))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test func whileTheControlPlaneIsAwayFactsAreSafeOnDisk() async throws {
        let spool = spool("a")
        let reporter = reporter(spool)
        let running = Task { await reporter.run() }
        link.isAway = true
        // Settled means acknowledged or on disk; here it can only be the latter.
        await reporter.toldLast(of: .sample(1))
        #expect(link.reports.isEmpty)
        #expect(reporter.waitingCount == 1)
        link.isAway = false
        try await until { reporter.waitingCount == 0 }
        #expect(link.reports.count == 1)
        running.cancel()
        await running.value
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test func aNewWorkerDeliversWhatADeadOneLeft() async throws {
        let reports = (1...5).map {
            Report(
                call: CallKey.sample(1).call, tenant: CallKey.sample(1).tenant, epoch: 1, sequence: $0,
                at: Timestamp(milliseconds: 5), fact: .event(code: "secret words", detail: ""))
        }
        do {
            let dead = spool("dead")
            #expect(dead.append(reports))
            // A dead process holds no lock; a torn record follows the whole ones.
            dead.close()
        }
        let path = directory.path + "/dead.spool"
        var bytes = try #require(FileManager.default.contents(atPath: path))
        #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"))
        bytes.append(contentsOf: [0, 0, 1, 0, 9, 9])
        try bytes.write(to: URL(fileURLWithPath: path))

        let reporter = reporter(spool("new"))
        let running = Task { await reporter.run() }
        try await until { !FileManager.default.fileExists(atPath: path) }
        running.cancel()
        await running.value
        #expect(link.reports.map(\.sequence) == [1, 2, 3, 4, 5])
    }

    @Test func theSpoolOfALivingWorkerIsLeftAlone() {
        let living = spool("living")
        #expect(living.append([.sample(1)]))
        #expect(spool("new").leftBehind().isEmpty)
        living.close()
        #expect(spool("new").leftBehind().map(\.reports.count) == [1])
    }

    @Test func anotherKeyReadsNothing() {
        let mine = spool("mine")
        #expect(mine.append([.sample(1)]))
        mine.close()
        let other = ReportSpool(
            directory: directory.path, worker: "other", key: SymmetricKey(size: .bits256), logger: .quiet)
        #expect(other.leftBehind().map(\.reports.count) == [0])
    }

    @Test func aFencedCallIsDroppedAndSaysNoMore() async throws {
        let fenced = Watched<[CallKey]>([])
        let reporter = reporter(spool("a")) { key in fenced.change { $0.append(key) } }
        link.fence(CallKey.sample(1).call)
        let running = Task { await reporter.run() }
        reporter.tell(.mediaStarted, of: .sample(1))
        try await fenced.until { !$0.isEmpty }
        reporter.tell(.mediaStarted, of: .sample(1))
        await reporter.toldLast(of: .sample(2))
        running.cancel()
        await running.value
        #expect(fenced.value == [.sample(1)])
        #expect(link.reports.filter { $0.call == CallKey.sample(1).call }.map(\.sequence) == [1])
    }

    @Test func oneRefusedReportDoesNotHoldTheOthers() async {
        let reporter = reporter(spool("a"))
        link.refuse(CallKey.sample(1).call)
        reporter.tell(.mediaStarted, of: .sample(1))
        reporter.tell(.mediaStarted, of: .sample(2))
        reporter.tell(.mediaStarted, of: .sample(1))
        let running = Task { await reporter.run() }
        await reporter.toldLast(of: .sample(2))
        running.cancel()
        await running.value
        #expect(link.reports.map(\.call) == [CallKey.sample(2).call, CallKey.sample(2).call])
        #expect(reporter.waitingCount == 0)
    }

    @Test func theFirstFactIsToldOrThrows() async throws {
        let reporter = reporter(spool("a"))
        link.isAway = true
        await #expect(throws: Fault.self) { try await reporter.tellFirst(.dialing, of: .sample(1)) }
        link.isAway = false
        try await reporter.tellFirst(.dialing, of: .sample(1))
        let running = Task { await reporter.run() }
        await reporter.toldLast(of: .sample(1))
        running.cancel()
        await running.value
        #expect(link.reports.map(\.sequence) == [1, 2])
    }
}

extension Reporter {
    /// Tells a last fact and waits until it is settled.
    fileprivate func toldLast(of key: CallKey) async {
        await withCheckedContinuation { done in
            tell(.ended(.agentEnded, connectedMs: 0, usage: []), of: key) { _ in done.resume() }
        }
    }
}
