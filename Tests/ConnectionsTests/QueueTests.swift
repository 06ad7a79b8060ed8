import Connections
import Testing

struct QueueTests {
    @Test func whatCameFirstLeavesFirst() {
        var queue = Queue<Int>()
        var left: [Int] = []
        // Longer than the room for what has left, and never empty in between.
        for number in 0..<1000 {
            queue.append(number)
            if number % 3 == 2 { left += [queue.popFirst(), queue.popFirst()].compactMap { $0 } }
        }
        #expect(queue.count == 1000 - left.count)
        #expect(left + queue.removeAll() == Array(0..<1000))
        #expect(queue.isEmpty && queue.first == nil && queue.popFirst() == nil)
    }

    @Test func theFirstCanBeChangedAndAnyCanLeave() {
        var queue = Queue<Int>()
        for number in 1...4 { queue.append(number) }
        #expect(queue.popFirst() == 1)
        queue.first = 20
        #expect(queue.removeFirst { $0 == 3 } == 3)
        #expect(queue.removeFirst { $0 == 1 } == nil)
        #expect(queue.removeAll() == [20, 4])
    }
}
