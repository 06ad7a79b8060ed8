import Connections
import Testing

@Suite(.timeLimit(.minutes(1))) struct TicketTests {
    @Test func theFirstResultCountsAndLaterOnesAreTheGiversAgain() async throws {
        let value = try await Ticket<Int>.take { ticket in
            #expect(ticket.finish(.success(1)))
            #expect(!ticket.finish(.success(2)))
        }
        #expect(value == 1)
    }

    @Test func aCancelledCallerGoesAtOnceAndSaysSo() async throws {
        let (given, giver) = AsyncStream.makeStream(of: Ticket<Int>.self)
        let (gone, leaver) = AsyncStream.makeStream(of: Void.self)
        let caller = Task {
            try await Ticket.take({ giver.yield($0) }, gaveUp: { _ in leaver.yield() })
        }
        let ticket = try #require(await given.first { _ in true })
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
        #expect(await gone.first { _ in true } != nil)
        #expect(!ticket.finish(.success(1)))
    }

    @Test func aCallerCancelledBeforehandStartsNothing() async {
        let caller = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await Ticket<Int>.take { _ in Issue.record("started") }
        }
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
    }
}
