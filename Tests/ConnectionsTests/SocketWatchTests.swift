import Connections
import Dispatch
import Glibc
import Testing

@Suite(.timeLimit(.minutes(1))) struct SocketWatchTests {
    private struct Pair {
        let (near, far): (Int32, Int32)
        init() throws {
            var ends: [Int32] = [0, 0]
            let result = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
            try #require(result == 0)
            (near, far) = (ends[0], ends[1])
        }
    }

    @Test func itTellsOnlyWhatIsWantedEvenAfterTheDescriptorIsClosed() async throws {
        let pair = try Pair()
        let queue = DispatchQueue(label: "test")
        let (events, told) = AsyncStream.makeStream(of: String.self)
        let made = SocketWatch(
            pair.near, on: queue, readable: { told.yield("readable") }, writable: { told.yield("writable") })
        let watch = try #require(made)
        defer { watch.cancel() }
        var event = events.makeAsyncIterator()
        // A new socket can be written at once; that is told only when asked for.
        queue.sync {
            watch.read(true)
            #expect(write(pair.far, "x", 1) == 1)
        }
        #expect(await event.next() == "readable")
        #expect(SocketWatch.hasInput(pair.near))
        queue.sync {
            watch.read(false)
            watch.write(true)
            close(pair.near)
        }
        repeat {} while await event.next() == "readable"
        close(pair.far)
    }

    @Test func thePeersEndIsInput() throws {
        let pair = try Pair()
        #expect(!SocketWatch.hasInput(pair.near))
        close(pair.far)
        #expect(SocketWatch.hasInput(pair.near))
        close(pair.near)
    }

    @Test func cancellingTwiceAndWithoutUseIsHarmless() throws {
        let pair = try Pair()
        let queue = DispatchQueue(label: "test")
        for uses in [{ _ in }, { $0.read(true) }] as [(SocketWatch) -> Void] {
            let made = SocketWatch(pair.near, on: queue, readable: {}, writable: {})
            let watch = try #require(made)
            uses(watch)
            watch.cancel()
            watch.cancel()
            watch.write(true)
        }
        close(pair.near)
        close(pair.far)
    }

    @Test func aDescriptorThatIsNoneIsRefused() {
        #expect(SocketWatch(-1, on: DispatchQueue(label: "test"), readable: {}, writable: {}) == nil)
    }
}
