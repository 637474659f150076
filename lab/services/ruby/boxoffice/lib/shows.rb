# frozen_string_literal: true

module Shows
  def self.soon
    Store.rows('select id, title, seats_left from shows order by id limit 25')
  end

  def self.find(id)
    Store.rows('select id, title, seats_left, cents from shows where id = ?', id).first
  end
end
