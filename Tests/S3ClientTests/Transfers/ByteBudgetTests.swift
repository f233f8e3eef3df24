import S3Client
import Testing

@Suite struct ByteBudgetTests {
    @Test("Never more than the budget is out, and everybody gets their turn", arguments: [1, 10, 64] as [Int64])
    func bound(_ total: Int64) async {
        let budget = ByteBudget(total)
        let out = Peak()
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<300 {
                // One in ten wants more than there is.
                let wish = index % 10 == 0 ? total * 3 : Int64(index) % total + 1
                group.addTask {
                    await budget.take(wish)
                    out.add(min(wish, total))
                    await Task.yield()
                    out.remove(min(wish, total))
                    await budget.giveBack(wish)
                }
            }
        }
        #expect(out.times == 300)
        #expect(out.most <= total)
    }

    @Test("A budget of nothing is one of a byte")
    func nothing() async {
        let budget = ByteBudget(0)
        await budget.take(100)
        await budget.giveBack(100)
        await budget.take(1)
        await budget.giveBack(1)
    }
}
