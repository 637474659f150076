# frozen_string_literal: true

# The catalogue.
module Search
  module_function

  def books(query)
    Database.query('select id, title, author from books where title ilike $1 order by id limit 15', ["%#{query}%"])
  end

  def book(id)
    row = Database.query('select b.id, b.title, b.author, s.room from books b left join shelves s on s.id = b.shelf_id where b.id = $1', [id]).first
    return unless row

    { id: row['id'].to_i, title: row['title'], author: row['author'], location: location(row) }
  end

  def location(row)
    row['room'].to_s
  end
end
