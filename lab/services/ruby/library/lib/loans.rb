# frozen_string_literal: true

# Who has which book.
module Loans
  module_function

  def of(member)
    Database.query('select l.id, b.title, l.due_on from loans l join books b on b.id = l.book_id where l.member_id = $1 order by l.id desc limit 20', [member])
  end

  def lend(member, book)
    row = Database.query("insert into loans (member_id, book_id, due_on) values ($1, $2, current_date + 28) returning id, due_on", [member, book]).first
    { id: row['id'].to_i, due_on: row['due_on'] }
  end
end
